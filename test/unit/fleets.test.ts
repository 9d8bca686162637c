/** Instance fleets: what RunJobFlow takes and refuses, which instances they become, and what the API says of them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { InstanceFleet, InstanceFleetConfig, InstanceTypeConfig } from "@aws-sdk/client-emr";
import { manifestFor } from "../../src/reconcile/manifest.ts";
import { chooseTypes, type Fleet, type FleetType } from "../../src/store/fleets.ts";
import { eventsOf } from "../../src/store/events.ts";
import { instancesOf } from "../../src/store/instances.ts";
import { stateChangesOf } from "../../src/store/state-changes.ts";
import { create, type Harness, harness, makeReady, state } from "./control-plane-harness.ts";
import { installation } from "./engine-facts.ts";

type Role = "MASTER" | "CORE" | "TASK";

const type = (InstanceType: string, WeightedCapacity?: number, more: Partial<InstanceTypeConfig> = {}): InstanceTypeConfig => ({
  InstanceType,
  ...(WeightedCapacity === undefined ? {} : { WeightedCapacity }),
  ...more,
});
const fleet = (
  InstanceFleetType: Role,
  [TargetOnDemandCapacity, TargetSpotCapacity]: [number, number],
  InstanceTypeConfigs: InstanceTypeConfig[],
  more: Partial<InstanceFleetConfig> = {},
): InstanceFleetConfig => ({ InstanceFleetType, TargetOnDemandCapacity, TargetSpotCapacity, InstanceTypeConfigs, ...more });
const master = fleet("MASTER", [1, 0], [type("m5.xlarge")]);
const core = fleet("CORE", [5, 2], [type("m5.xlarge", 1), type("m5.2xlarge", 2)], { Name: "workers" });

const withFleets = (InstanceFleets: InstanceFleetConfig[], more: object = {}) => ({
  Instances: { InstanceFleets, KeepJobFlowAliveWhenNoSteps: true, ...more },
});

async function fleets(h: Harness, ClusterId: string): Promise<Record<string, InstanceFleet>> {
  const { InstanceFleets = [] } = await h.handlers.ListInstanceFleets!({ ClusterId }, h.request);
  return Object.fromEntries(InstanceFleets.map((one) => [one.InstanceFleetType, one]));
}
const capacities = (one: InstanceFleet | undefined) => [
  one?.Status?.State,
  [one?.TargetOnDemandCapacity, one?.ProvisionedOnDemandCapacity],
  [one?.TargetSpotCapacity, one?.ProvisionedSpotCapacity],
];
const list = async (h: Harness, ClusterId: string, more: object = {}) =>
  (await h.handlers.ListInstances!({ ClusterId, ...more }, h.request)).Instances!;

test("a node that reports has been launched, though its launch was answered by an error: its capacity is provisioned", async () => {
  const h = await harness();
  h.provider.failLaunches = 3;
  const id = await create(h, withFleets([master, fleet("CORE", [1, 1], [type("m5.xlarge")])]));
  await makeReady(h, id);
  assert.ok((await instancesOf(h.store.db, id)).some(({ status }) => status === "provisioning"));
  assert.deepEqual(capacities((await fleets(h, id)).CORE), ["RUNNING", [1, 1], [1, 1]]);
});

test("fleets become instances of the types that fill their targets, each with its type, market and fleet", async () => {
  const h = await harness();
  const id = await create(h, withFleets([master, core, fleet("TASK", [0, 0], [type("r5.xlarge")])]));
  assert.deepEqual(capacities((await fleets(h, id)).CORE), ["PROVISIONING", [5, 5], [2, 2]]);
  await makeReady(h, id);
  assert.equal((await state(h, id))?.State, "WAITING");
  const { Cluster } = await h.handlers.DescribeCluster!({ ClusterId: id }, h.request);
  assert.equal(Cluster?.InstanceCollectionType, "INSTANCE_FLEET");
  // What a unit costs is the same in both types: the first of them fills.
  const found = await fleets(h, id);
  assert.deepEqual(capacities(found.CORE), ["RUNNING", [5, 5], [2, 2]]);
  assert.deepEqual(capacities(found.TASK), ["RUNNING", [0, 0], [0, 0]]);
  const instances = await list(h, id);
  const kinds = instances.map((one) => `${one.InstanceType} ${one.Market} ${one.InstanceFleetId === found.CORE!.Id ? "core" : "master"}`);
  const of = (kind: string, count: number) => Array.from({ length: count }, () => kind);
  assert.deepEqual(kinds, ["m5.xlarge ON_DEMAND master", ...of("m5.xlarge ON_DEMAND core", 5), ...of("m5.xlarge SPOT core", 2)]);
  assert.match(found.CORE!.Id!, /^if-[A-Z0-9]{13}$/);
  assert.equal(instances[0]!.InstanceGroupId, undefined);
  const ids = (some: typeof instances) => some.map(({ Id }) => Id);
  assert.deepEqual(ids(await list(h, id, { InstanceFleetId: found.CORE!.Id })), ids(instances.slice(1)));
  assert.deepEqual(ids(await list(h, id, { InstanceFleetType: "MASTER" })), ids(instances.slice(0, 1)));
});

test("a fleet tells of itself by EMR's events", async () => {
  const h = await harness();
  const id = await create(h, withFleets([master, core]));
  await makeReady(h, id);
  const told = (await stateChangesOf(h.store.db, id)).filter(({ event }) => event["detail-type"] === "EMR Instance Fleet State Change");
  const { Id } = (await fleets(h, id)).CORE!;
  const mine = told.filter(({ event }) => event.detail.instanceFleetId === Id).map(({ event }) => event.detail);
  assert.deepEqual(
    mine.map((detail) => detail.state),
    ["PROVISIONING", "BOOTSTRAPPING", "RUNNING"].filter((one) => mine.some((detail) => detail.state === one)),
  );
  const last = mine.at(-1)!;
  assert.match(
    last.message,
    /^Provisioning for instance fleet if-\w+ in Amazon EMR cluster j-\w+ \(test\) is complete\. Provisioning started at .* UTC and took 0 minutes\. The instance fleet now has On-Demand capacity of 5 and Spot capacity of 2\. Target On-Demand capacity was 5, and target Spot capacity was 2\.$/,
  );
  const { targetOnDemandCapacity, targetSpotCapacity, provisionedOnDemandCapacity, provisionedSpotCapacity, instanceFleetType } = last;
  assert.deepEqual(
    [targetOnDemandCapacity, targetSpotCapacity, provisionedOnDemandCapacity, provisionedSpotCapacity, instanceFleetType],
    ["5", "2", "5", "2", "CORE"],
  );
});

test("each node has the YARN settings and the configurations of its own type", async () => {
  const h = await harness();
  const settings = { Classification: "yarn-site", Properties: { "yarn.nodemanager.vmem-pmem-ratio": "7" } };
  const types = [type("m5.2xlarge", 2), type("r5.xlarge", 1, { Configurations: [settings] })];
  const id = await create(h, withFleets([master, fleet("CORE", [3, 0], types)]));
  const sources = {
    endpoint: "http://127.0.0.1:1",
    nodeFolder: (one: string) => `/data/nodes/${one}`,
    hostDisk: { bytes: 1e12, keptBytes: 5e10 },
    installation: () => installation,
    catalog: () => ({ url: "", user: "", password: "" }),
  };
  const seen = [];
  for (const instance of await instancesOf(h.store.db, id)) {
    const manifest = (await manifestFor(h.store.db, instance.id, id, sources))!;
    const site = manifest.files.find(({ path }) => path.endsWith("yarn-site.xml"))!.content!;
    const value = (name: string) => new RegExp(`<name>${name}</name>\\s*<value>([^<]*)`).exec(site)?.[1];
    seen.push([
      instance.instance_type,
      value("yarn.nodemanager.resource.memory-mb"),
      value("yarn.scheduler.maximum-allocation-mb"),
      value("yarn.nodemanager.vmem-pmem-ratio") === "7",
      manifest.metadata["meta-data/instance-type"],
    ]);
  }
  assert.deepEqual(seen, [
    ["m5.xlarge", "12288", "24576", false, "m5.xlarge"],
    ["m5.2xlarge", "24576", "24576", false, "m5.2xlarge"],
    ["r5.xlarge", "24576", "24576", true, "r5.xlarge"],
  ]);
});

test("operations of groups are refused for fleets in EMR's words, and the other way round", async () => {
  const h = await harness();
  const id = await create(h, withFleets([master]));
  const groups = await create(h);
  const isExclusive = (has: string, code: string) => (error: Error & { fields?: Record<string, string> }) => {
    assert.match(
      error.message,
      new RegExp(
        `^Instance ${has} and instance \\w+ are mutually exclusive\\. The EMR cluster specified in the request uses instance ${has}\\.`,
      ),
    );
    assert.equal(error.fields?.ErrorCode, code);
    return true;
  };
  const fleetsOnly = isExclusive("fleets", "API_DOES_NOT_SUPPORT_INSTANCE_FLEET_CLUSTERS");
  await assert.rejects(async () => h.handlers.ListInstanceGroups!({ ClusterId: id }, h.request), fleetsOnly);
  await assert.rejects(list(h, id, { InstanceGroupTypes: ["CORE"] }), fleetsOnly);
  const groupsOnly = isExclusive("groups", "API_DOES_NOT_SUPPORT_INSTANCE_GROUP_CLUSTERS");
  await assert.rejects(async () => h.handlers.ListInstanceFleets!({ ClusterId: groups }, h.request), groupsOnly);
  await assert.rejects(list(h, groups, { InstanceFleetType: "CORE" }), groupsOnly);
  await assert.rejects(list(h, id, { InstanceFleetId: "if-NONE" }), /Instance fleet id 'if-NONE' is not valid/);
});

const sixTypes = ["m5.xlarge", "m5.2xlarge", "r5.xlarge", "c5.xlarge", "m4.xlarge", "m6g.xlarge"].map((name) => type(name));
const strategy = { LaunchSpecifications: { OnDemandSpecification: { AllocationStrategy: "prioritized" as const } } };
const spotSpecification = (change: object) => ({
  LaunchSpecifications: { SpotSpecification: { TimeoutDurationMinutes: 5, TimeoutAction: "TERMINATE_CLUSTER" as const, ...change } },
});

const refusals: [string, InstanceFleetConfig[], RegExp, object?][] = [
  ["groups beside fleets", [master], /one and only one of the following: instance groups; instance fleets/, { InstanceGroups: [{}] }],
  ["a count beside fleets", [master], /one and only one of the following/, { InstanceCount: 3 }],
  ["no master", [core], /Zero master instance fleets supplied/],
  ["two of a type", [master, core, core], /2 fleets have InstanceFleetType CORE/],
  ["no type of fleet", [{ ...master, InstanceFleetType: undefined }], /InstanceFleets\[0\]\.InstanceFleetType must be/],
  ["a master of two", [fleet("MASTER", [2, 0], [type("m5.xlarge")])], /InstanceFleets\[0\]\.: of the MASTER fleet/],
  [
    "a master in both markets",
    [fleet("MASTER", [1, 1], [type("m5.xlarge")])],
    /either TargetOnDemandCapacity or TargetSpotCapacity must be 1/,
  ],
  ["a core fleet of nothing", [master, fleet("CORE", [0, 0], [type("m5.xlarge")])], /InstanceFleets\[1\]\..*CORE fleet must be above 0/],
  ["a negative target", [master, fleet("CORE", [-1, 2], [type("m5.xlarge")])], /TargetOnDemandCapacity must be at least 0/],
  ["task without core nodes", [master, fleet("TASK", [1, 0], [type("m5.xlarge")])], /must also define core nodes/],
  ["no types", [fleet("MASTER", [1, 0], [])], /InstanceTypeConfigs: at least one/],
  ["an unknown type", [fleet("MASTER", [1, 0], [type("m9.huge")])], /InstanceTypeConfigs\[0\]\.InstanceType: .*m9\.huge/],
  ["a type twice", [master, fleet("CORE", [1, 0], [type("m5.xlarge"), type("m5.xlarge", 2)])], /InstanceTypeConfigs\[1\].*twice/],
  ["six types without a strategy", [master, fleet("CORE", [1, 0], sixTypes)], /at most 5 instance types, not 6\. Up to 30 where/],
  ["six types with a strategy of one fleet only", [master, fleet("CORE", [1, 0], sixTypes, strategy)], /at most 5 instance types/],
  ["a weight of the master", [fleet("MASTER", [1, 0], [type("m5.xlarge", 2)])], /WeightedCapacity must be 1 in the MASTER fleet/],
  ["a weight of nothing", [master, fleet("CORE", [1, 0], [type("m5.xlarge", 0)])], /WeightedCapacity must be from 1 to 999, not 0/],
  ["a weight beyond EC2's", [master, fleet("CORE", [1, 0], [type("m5.xlarge", 1000)])], /WeightedCapacity must be from 1 to 999/],
  [
    "two bids",
    [fleet("MASTER", [0, 1], [type("m5.xlarge", 1, { BidPrice: "1", BidPriceAsPercentageOfOnDemandPrice: 50 })])],
    /Specify at most one of bidPrice or bidPriceAsPercentageOfOnDemandPrice/,
  ],
  ["a bid that is none", [fleet("MASTER", [0, 1], [type("m5.xlarge", 1, { BidPrice: "cheap" })])], /BidPrice: 'cheap' is not a price/],
  ["an AMI", [fleet("MASTER", [1, 0], [type("m5.xlarge", 1, { CustomAmiId: "ami-1" })])], /CustomAmiId/],
  [
    "a short timeout",
    [{ ...master, ...spotSpecification({ TimeoutDurationMinutes: 4 }) }],
    /TimeoutDurationMinutes must be from 5 to 1440, not 4/,
  ],
  [
    "a timeout without an action",
    [{ ...master, ...spotSpecification({ TimeoutAction: undefined }) }],
    /SpotSpecification\.TimeoutAction is required/,
  ],
  ["a block", [{ ...master, ...spotSpecification({ BlockDurationMinutes: 60 }) }], /BlockDurationMinutes/],
  [
    "a long resize",
    [{ ...master, ResizeSpecifications: { SpotResizeSpecification: { TimeoutDurationMinutes: 10_081 } } }],
    /SpotResizeSpecification\.TimeoutDurationMinutes must be from 5 to 10080/,
  ],
  ["more than an address each", [master, fleet("CORE", [250, 0], [type("m5.xlarge")])], /251 instances, which do not fit/],
  ["more than can be reckoned", [master, fleet("CORE", [2 ** 31 - 1, 2 ** 31 - 1], [type("m5.xlarge")])], /do not fit one host's network/],
  [
    "settings that no engine knows",
    [master, fleet("CORE", [1, 0], [type("m5.xlarge", 1, { Configurations: [{ Classification: "elephants" }] })])],
    /InstanceFleets\[1\]\.InstanceTypeConfigs\[0\]\.Configurations: .*elephants/,
  ],
];
for (const [what, some, message, more] of refusals)
  test(`RunJobFlow refuses ${what} of fleets, and creates nothing`, async () => {
    const h = await harness();
    await assert.rejects(create(h, withFleets(some, more)), (error: Error) => {
      assert.equal(error.name, "ValidationException");
      assert.match(error.message, message);
      return true;
    });
    assert.deepEqual((await h.handlers.ListClusters!({}, h.request)).Clusters, []);
  });

test("with strategies of all fleets there may be more types", async () => {
  const h = await harness();
  const id = await create(h, withFleets([{ ...master, ...strategy }, fleet("CORE", [1, 0], sixTypes, strategy)]));
  assert.equal((await fleets(h, id)).CORE?.InstanceTypeSpecifications?.length, 6);
});

const offered = (...types: Partial<FleetType>[]): Fleet => ({
  onDemand: 0,
  spot: 0,
  types: types.map((one) => ({
    instanceType: "m5.xlarge",
    weight: 1,
    priority: null,
    bidPrice: null,
    bidPercentage: 100,
    configurations: [],
    ebs: null,
    ...one,
  })),
  offered: [...types.keys()],
  launch: null,
  resize: null,
  context: null,
  founding: [],
});
const chosen = (some: Fleet, units: number, market: "ON_DEMAND" | "SPOT" = "ON_DEMAND", isResize = false) =>
  chooseTypes(some, market, units, isResize, new Map()).map((one) => one.instance_type);

test("the cheapest unit comes first, and what exceeds a target only where nothing else is left", () => {
  // USD 0.192 for one, 0.17 for one, 0.384 for three.
  const some = offered({}, { instanceType: "c5.xlarge" }, { instanceType: "m5.2xlarge", weight: 3 });
  assert.deepEqual(chosen(some, 7), ["m5.2xlarge", "m5.2xlarge", "c5.xlarge"]);
  const large = offered({ instanceType: "m5.4xlarge", weight: 8 }, { instanceType: "m5.2xlarge", weight: 3 });
  assert.deepEqual(chosen(large, 7), ["m5.2xlarge", "m5.2xlarge", "m5.2xlarge"]);
  assert.deepEqual(chosen(large, 9), ["m5.4xlarge", "m5.2xlarge"]);
  assert.deepEqual(chosen(large, 0), []);
});

test("strategies: by priority, and spread over all types; a resize has its own", () => {
  const types = [{ priority: 2 }, { instanceType: "r5.xlarge", priority: 0 }, { instanceType: "c5.xlarge" }];
  const prioritized: Fleet = {
    ...offered(...types),
    launch: { OnDemandSpecification: { AllocationStrategy: "prioritized" } },
    resize: { OnDemandResizeSpecification: { AllocationStrategy: "lowest-price" } },
  };
  assert.deepEqual(chosen(prioritized, 2), ["r5.xlarge", "r5.xlarge"]);
  assert.deepEqual(chosen(prioritized, 1, "ON_DEMAND", true), ["c5.xlarge"]);
  const SpotSpecification = { TimeoutDurationMinutes: 5, TimeoutAction: "TERMINATE_CLUSTER" as const };
  const spot = (AllocationStrategy: "diversified" | "capacity-optimized-prioritized" | "capacity-optimized"): Fleet => ({
    ...offered(...types),
    launch: { SpotSpecification: { ...SpotSpecification, AllocationStrategy } },
  });
  assert.deepEqual(chosen(spot("diversified"), 4, "SPOT"), ["c5.xlarge", "m5.xlarge", "r5.xlarge", "c5.xlarge"]);
  assert.deepEqual(chosen(spot("capacity-optimized-prioritized"), 1, "SPOT"), ["r5.xlarge"]);
  assert.deepEqual(chosen(spot("capacity-optimized"), 1, "SPOT"), ["c5.xlarge"]);
});

async function ready(h: Harness, some: InstanceFleetConfig[]): Promise<string> {
  const id = await create(h, withFleets(some));
  await makeReady(h, id);
  return id;
}
async function modify(h: Harness, ClusterId: string, role: Role, change: object): Promise<void> {
  const InstanceFleetId = (await fleets(h, ClusterId))[role]?.Id;
  await h.handlers.ModifyInstanceFleet!({ ClusterId, InstanceFleet: { InstanceFleetId, ...change } } as never, h.request);
}
const living = async (h: Harness, id: string) => (await instancesOf(h.store.db, id)).filter(({ status }) => status !== "terminated");
const ofRole = async (h: Harness, id: string, role: Role) => {
  const fleetId = (await fleets(h, id))[role]?.Id;
  return (await living(h, id)).filter((one) => one.group_id === fleetId);
};
const kinds = async (h: Harness, id: string, role: Role) => (await ofRole(h, id, role)).map((one) => `${one.instance_type} ${one.market}`);
const messages = async (h: Harness, id: string, kind: string) =>
  (await eventsOf(h.store.db, id)).filter((event) => event.kind === kind).map(({ message }) => message);
const toldOfFleet = async (h: Harness, id: string, role: Role) => {
  const fleetId = (await fleets(h, id))[role]?.Id;
  return (await stateChangesOf(h.store.db, id)).map(({ event }) => event.detail).filter((detail) => detail.instanceFleetId === fleetId);
};

/** The master says that all that leave are out of service, and they say that they have stopped. */
async function letLeave(h: Harness, id: string): Promise<void> {
  const [first, ...others] = await living(h, id);
  const leaving = others.filter((one) => one.leaving === "decommissioning").map((one) => one.id);
  await h.report(first!.id, { decommission: Object.fromEntries(leaving.map((one) => [one, "DECOMMISSIONED"])) });
  await h.settle();
  for (const one of leaving) await h.report(one, { phase: "stopped" });
  await h.settle();
}

test("a fleet grows and shrinks by units, in both markets", async () => {
  const h = await harness();
  const types = [type("m5.2xlarge", 2), type("m5.xlarge", 1)];
  const id = await ready(h, [master, fleet("CORE", [2, 0], types)]);
  assert.deepEqual(await kinds(h, id, "CORE"), ["m5.2xlarge ON_DEMAND"]);
  await modify(h, id, "CORE", { TargetOnDemandCapacity: 5, TargetSpotCapacity: 1 });
  assert.deepEqual(capacities((await fleets(h, id)).CORE), ["RESIZING", [5, 2], [1, 0]], "before any reconciler ran");
  await h.settle();
  await makeReady(h, id);
  assert.deepEqual(capacities((await fleets(h, id)).CORE), ["RUNNING", [5, 5], [1, 1]]);
  assert.deepEqual(await kinds(h, id, "CORE"), ["m5.2xlarge ON_DEMAND", "m5.2xlarge ON_DEMAND", "m5.xlarge ON_DEMAND", "m5.xlarge SPOT"]);
  const [started, ended] = (await toldOfFleet(h, id, "CORE")).slice(-2).map(({ message }) => message);
  assert.match(
    started!,
    /^A resize for instance fleet if-\w+ .* started at .* UTC\. The instance fleet is resizing from an On-Demand capacity of 2 to a target of 5, and from a Spot capacity of 0 to a target of 1\.$/,
  );
  assert.match(
    ended!,
    /^The resizing operation for instance fleet .* is complete\. The resize started at .* and took 0 minutes\. The instance fleet now has On-Demand capacity of 5 and Spot capacity of 1\. Target On-Demand capacity was 5 and target Spot capacity was 1\.$/,
  );

  // Of 5 units, 2 + 2 + 1, the newest go as long as the target is held: the one, then a two would leave too few.
  await modify(h, id, "CORE", { TargetOnDemandCapacity: 3, TargetSpotCapacity: 0 });
  await h.settle();
  const leaving = (await ofRole(h, id, "CORE")).filter((one) => one.leaving === "decommissioning");
  assert.deepEqual(
    leaving.map((one) => `${one.instance_type} ${one.market}`),
    ["m5.xlarge ON_DEMAND", "m5.xlarge SPOT"],
  );
  await letLeave(h, id);
  assert.deepEqual(capacities((await fleets(h, id)).CORE), ["RUNNING", [3, 4], [0, 0]]);
});

test("a task fleet is added to a running cluster, once; types of a fleet are exchanged for new instances", async () => {
  const h = await harness();
  const id = await ready(h, [master, core]);
  const add = async (InstanceFleet: InstanceFleetConfig) =>
    h.handlers.AddInstanceFleet!({ ClusterId: id, InstanceFleet } as never, h.request);
  await assert.rejects(add(fleet("CORE", [1, 0], [type("m5.xlarge")])), /only a TASK fleet can be added/);
  const { InstanceFleetId } = await add(fleet("TASK", [0, 2], [type("r5.xlarge")]));
  await assert.rejects(add(fleet("TASK", [1, 0], [type("m5.xlarge")])), /has a TASK fleet already/);
  assert.deepEqual(capacities((await fleets(h, id)).TASK), ["PROVISIONING", [0, 0], [2, 0]]);
  await h.settle();
  await makeReady(h, id);
  assert.equal((await fleets(h, id)).TASK?.Id, InstanceFleetId);
  assert.deepEqual(capacities((await fleets(h, id)).TASK), ["RUNNING", [0, 0], [2, 2]]);
  await modify(h, id, "TASK", { TargetSpotCapacity: 6, InstanceTypeConfigs: [type("c5.xlarge", 2)] });
  await h.settle();
  await makeReady(h, id);
  assert.deepEqual(await kinds(h, id, "TASK"), ["r5.xlarge SPOT", "r5.xlarge SPOT", "c5.xlarge SPOT", "c5.xlarge SPOT"]);
  assert.deepEqual(
    (await fleets(h, id)).TASK?.InstanceTypeSpecifications?.map(({ InstanceType, WeightedCapacity }) => [InstanceType, WeightedCapacity]),
    [["c5.xlarge", 2]],
  );
  await modify(h, id, "TASK", { ResizeSpecifications: { SpotResizeSpecification: { TimeoutDurationMinutes: 20 } } });
  assert.deepEqual((await fleets(h, id)).TASK?.ResizeSpecifications, { SpotResizeSpecification: { TimeoutDurationMinutes: 20 } });
  assert.equal((await fleets(h, id)).TASK?.Status?.State, "RUNNING");
});

test("what ModifyInstanceFleet and AddInstanceFleet refuse changes nothing", async () => {
  const h = await harness();
  const id = await ready(h, [master, fleet("CORE", [4, 0], [type("m5.xlarge")], {}), fleet("TASK", [1, 0], [type("m5.xlarge")])]);
  const before = await fleets(h, id);
  await assert.rejects(modify(h, id, "MASTER", { TargetOnDemandCapacity: 1 }), /MASTER fleet cannot be changed/);
  await assert.rejects(modify(h, id, "CORE", {}), /InstanceFleet: a target capacity, .* is required/);
  await assert.rejects(modify(h, id, "CORE", { TargetOnDemandCapacity: 0 }), /CORE fleet must be above 0/);
  // Four core nodes: HDFS keeps one copy below four, and two from four on.
  await assert.rejects(modify(h, id, "CORE", { TargetOnDemandCapacity: 1 }), /1 core nodes, .* cannot hold the 2 copies/);
  await assert.rejects(modify(h, id, "TASK", { TargetOnDemandCapacity: 2 ** 31 - 1 }), /do not fit one host's network/);
  await assert.rejects(modify(h, id, "TASK", { InstanceTypeConfigs: sixTypes }), /at most 5 instance types/);
  await assert.rejects(
    modify(h, id, "TASK", { InstanceTypeConfigs: [type("m9.huge")] }),
    /InstanceFleet\.InstanceTypeConfigs\[0\]\.InstanceType/,
  );
  const named = async (ClusterId: string, InstanceFleetId: string) =>
    h.handlers.ModifyInstanceFleet!({ ClusterId, InstanceFleet: { InstanceFleetId, TargetSpotCapacity: 1 } } as never, h.request);
  await assert.rejects(named(id, "if-NONE"), /Instance fleet id 'if-NONE' is not valid/);
  await assert.rejects(named(await create(h), before.TASK!.Id!), /uses instance groups\. The ModifyInstanceFleet operation/);
  await assert.rejects(named(await create(h, withFleets([master])), before.TASK!.Id!), /when the cluster is running or waiting/);
  assert.deepEqual(await fleets(h, id), before);
});

/** Room for the daemons of a master, two core nodes and so many more. */
const roomFor = (more: number) => 750 + (2 + more) * 330;
const spotFleets = (TimeoutAction: "SWITCH_TO_ON_DEMAND" | "TERMINATE_CLUSTER") => [
  master,
  fleet("CORE", [2, 3], [type("m5.xlarge")], spotSpecification({ TimeoutAction, TimeoutDurationMinutes: 10 })),
];

test("a cluster waits for spot capacity that the host has no memory for, and takes it when there is", async () => {
  const h = await harness();
  let room = roomFor(1);
  h.context.freeMemoryMb = () => room;
  const id = await create(h, withFleets(spotFleets("TERMINATE_CLUSTER")));
  await makeReady(h, id);
  assert.deepEqual(capacities((await fleets(h, id)).CORE), ["PROVISIONING", [2, 2], [3, 1]]);
  assert.equal((await state(h, id))?.State, "STARTING");
  assert.match((await messages(h, id, "warning")).join("\n"), /no memory for all spot capacity of if-/);
  room = roomFor(20);
  h.advance(60_000);
  await h.settle();
  await makeReady(h, id);
  assert.deepEqual(capacities((await fleets(h, id)).CORE), ["RUNNING", [2, 2], [3, 3]]);
  assert.equal((await state(h, id))?.State, "WAITING");
});

test("spot capacity that does not come in time ends the cluster, or is taken on demand", async () => {
  for (const action of ["TERMINATE_CLUSTER", "SWITCH_TO_ON_DEMAND"] as const) {
    const h = await harness();
    let room = roomFor(0);
    h.context.freeMemoryMb = () => room;
    const id = await create(h, withFleets(spotFleets(action)));
    await makeReady(h, id);
    h.advance(9 * 60_000);
    await h.settle();
    assert.equal((await state(h, id))?.State, "STARTING");
    h.advance(60_000);
    if (action === "TERMINATE_CLUSTER") {
      await h.settle();
      assert.deepEqual((await state(h, id))?.StateChangeReason?.Code, "INSTANCE_FLEET_TIMEOUT");
      continue;
    }
    // What comes at that moment is on demand.
    let looks = 0;
    h.context.freeMemoryMb = () => (++looks > 1 ? roomFor(20) : room);
    await h.settle();
    room = roomFor(20);
    await makeReady(h, id);
    assert.deepEqual(capacities((await fleets(h, id)).CORE), ["RUNNING", [2, 5], [3, 0]]);
    assert.equal((await state(h, id))?.State, "WAITING");
    await modify(h, id, "CORE", { TargetOnDemandCapacity: 5, TargetSpotCapacity: 0 });
    await h.settle();
    assert.deepEqual(capacities((await fleets(h, id)).CORE), ["RUNNING", [5, 5], [0, 0]]);
  }
});

test("where there is no capacity on demand either, the cluster ends as any that does not fit", async () => {
  const h = await harness();
  h.context.freeMemoryMb = () => roomFor(0);
  const id = await create(h, withFleets(spotFleets("SWITCH_TO_ON_DEMAND")));
  await makeReady(h, id);
  h.advance(10 * 60_000);
  await h.settle();
  const status = await state(h, id);
  assert.equal(status?.StateChangeReason?.Code, "INTERNAL_ERROR");
  assert.equal(status?.ErrorDetails?.[0]?.ErrorCode, "INTERNAL_ERROR_EC2_INSUFFICIENT_CAPACITY_AZ");
});

test("a resize gives up what is missing at its timeout, and another tries again", async () => {
  const h = await harness();
  const resizeIn = (minutes: number) => ({ ResizeSpecifications: { OnDemandResizeSpecification: { TimeoutDurationMinutes: minutes } } });
  const id = await ready(h, [master, fleet("CORE", [1, 0], [type("m5.xlarge")], resizeIn(5))]);
  h.context.freeMemoryMb = () => 400;
  await modify(h, id, "CORE", { TargetOnDemandCapacity: 4 });
  await h.settle();
  h.context.freeMemoryMb = () => 0;
  await makeReady(h, id);
  assert.deepEqual(capacities((await fleets(h, id)).CORE), ["RESIZING", [4, 2], [0, 0]]);
  h.advance(5 * 60_000);
  await h.settle();
  assert.deepEqual(capacities((await fleets(h, id)).CORE), ["RUNNING", [4, 2], [0, 0]]);
  const last = (await toldOfFleet(h, id, "CORE")).at(-1)!;
  assert.equal(last.severity, "WARN");
  assert.match(last.message, /has reached the timeout and stopped\. The resize started at .* and stopped after 5 minutes\./);
  assert.match((await messages(h, id, "warning")).join("\n"), /lacks 2 units on demand at the end of its resize timeout/);
  h.context.freeMemoryMb = () => 16_000;
  await modify(h, id, "CORE", { TargetOnDemandCapacity: 4 });
  await h.settle();
  await makeReady(h, id);
  assert.deepEqual(capacities((await fleets(h, id)).CORE), ["RUNNING", [4, 4], [0, 0]]);
});
