import assert from "node:assert/strict";
import { test } from "node:test";
import type { AutoScalingPolicy, ComputeLimits, ManagedScalingPolicy, ScalingRule } from "@aws-sdk/client-emr";
import { eventsOf } from "../../src/store/events.ts";
import { create, type Harness, harness } from "./control-plane-harness.ts";

const warnings = async (h: Harness, id: string) =>
  (await eventsOf(h.store.db, id)).filter(({ kind }) => kind === "warning").map(({ message }) => message);

const limits = (change: Partial<ComputeLimits> = {}): ManagedScalingPolicy => ({
  ComputeLimits: { UnitType: "Instances", MinimumCapacityUnits: 2, MaximumCapacityUnits: 4, ...change },
});

test("a cluster has no policies until somebody puts them; a cluster that is not there has none to read", async () => {
  const h = await harness();
  const ClusterId = await create(h);
  for (const name of ["GetAutoTerminationPolicy", "GetManagedScalingPolicy", "RemoveAutoTerminationPolicy", "RemoveManagedScalingPolicy"]) {
    const operation = h.handlers[name as "GetAutoTerminationPolicy"]!;
    assert.deepEqual(await operation({ ClusterId }, h.request), {}, name);
    await assert.rejects(async () => operation({ ClusterId: "j-NONE" }, h.request), /Cluster id 'j-NONE' is not valid/);
  }
});

test("a managed scaling policy is kept, shown and removed, and a warning says that it has no effect yet", async () => {
  const h = await harness();
  const ClusterId = await create(h);
  await h.handlers.PutManagedScalingPolicy!({ ClusterId, ManagedScalingPolicy: limits() } as never, h.request);
  assert.deepEqual(await h.handlers.GetManagedScalingPolicy!({ ClusterId }, h.request), { ManagedScalingPolicy: limits() });
  assert.match((await warnings(h, ClusterId)).join("; "), /ManagedScalingPolicy is kept and shown, but has no effect yet/);
  await h.handlers.RemoveManagedScalingPolicy!({ ClusterId }, h.request);
  assert.deepEqual(await h.handlers.GetManagedScalingPolicy!({ ClusterId }, h.request), {});
  await h.handlers.TerminateJobFlows!({ JobFlowIds: [ClusterId] }, h.request);
  await assert.rejects(
    async () => h.handlers.PutManagedScalingPolicy!({ ClusterId, ManagedScalingPolicy: limits() } as never, h.request),
    /may not be modified/,
  );
});

const wrongLimits: [string, ManagedScalingPolicy, RegExp][] = [
  ["no limits", {}, /ComputeLimits is required/],
  ["units of fleets", limits({ UnitType: "InstanceFleetUnits" }), /InstanceFleetUnits is for clusters with instance fleets/],
  ["a minimum of nothing", limits({ MinimumCapacityUnits: 0 }), /MinimumCapacityUnits must be at least 1, not 0/],
  ["a minimum above the maximum", limits({ MinimumCapacityUnits: 5 }), /min capacity \(5\) cannot be higher than max capacity \(4\)/],
  [
    "more on demand than all",
    limits({ MaximumOnDemandCapacityUnits: 5 }),
    /max On-Demand capacity must be from 0 to the max capacity \(4\)/,
  ],
  [
    "more core nodes than all",
    limits({ MaximumCoreCapacityUnits: 5 }),
    /Invalid configuration for managed scaling. The max Core capacity cannot be higher than max capacity/,
  ],
  ["an index without its strategy", { ...limits(), UtilizationPerformanceIndex: 50 }, /only with ScalingStrategy ADVANCED/],
  [
    "an index between two",
    { ...limits(), ScalingStrategy: "ADVANCED", UtilizationPerformanceIndex: 49 },
    /UtilizationPerformanceIndex must be one of 1, 25, 50, 75, 100, not 49/,
  ],
];

for (const [what, policy, message] of wrongLimits)
  test(`a managed scaling policy with ${what} is refused`, async () => {
    const h = await harness();
    const ClusterId = await create(h);
    await assert.rejects(async () => h.handlers.PutManagedScalingPolicy!({ ClusterId, ManagedScalingPolicy: policy } as never, h.request), {
      name: "ValidationException",
      message,
    });
    assert.deepEqual(await h.handlers.GetManagedScalingPolicy!({ ClusterId }, h.request), {});
  });

test("an auto-termination policy is an hour unless it says otherwise, within EMR's limits", async () => {
  const h = await harness();
  const ClusterId = await create(h);
  const put = (IdleTimeout?: number) =>
    h.handlers.PutAutoTerminationPolicy!({ ClusterId, AutoTerminationPolicy: { IdleTimeout } } as never, h.request);
  await put();
  assert.deepEqual(await h.handlers.GetAutoTerminationPolicy!({ ClusterId }, h.request), { AutoTerminationPolicy: { IdleTimeout: 3600 } });
  for (const seconds of [60, 604_800]) await put(seconds);
  for (const seconds of [59, 604_801, -1]) await assert.rejects(async () => put(seconds), /IdleTimeout must be from 60 to 604800 seconds/);
  assert.deepEqual(await h.handlers.GetAutoTerminationPolicy!({ ClusterId }, h.request), {
    AutoTerminationPolicy: { IdleTimeout: 604_800 },
  });
  assert.match((await warnings(h, ClusterId)).join("; "), /AutoTerminationPolicy is kept and shown, but has no effect yet/);
  await h.handlers.RemoveAutoTerminationPolicy!({ ClusterId }, h.request);
  assert.deepEqual(await h.handlers.GetAutoTerminationPolicy!({ ClusterId }, h.request), {});
});

const rule = (change: object = {}, alarm: object = {}): ScalingRule =>
  ({
    Name: "out",
    Action: { SimpleScalingPolicyConfiguration: { ScalingAdjustment: 1 } },
    Trigger: {
      CloudWatchAlarmDefinition: {
        ComparisonOperator: "LESS_THAN",
        MetricName: "YARNMemoryAvailablePercentage",
        Period: 300,
        Threshold: 15,
        ...alarm,
      },
    },
    ...change,
  }) as ScalingRule;

const scaling = (Rules: ScalingRule[], Constraints = { MinCapacity: 1, MaxCapacity: 5 }): AutoScalingPolicy => ({ Constraints, Rules });

async function scalable(h: Harness) {
  const ClusterId = await create(h, { AutoScalingRole: "EMR_AutoScaling_DefaultRole" });
  const { InstanceGroups = [] } = await h.handlers.ListInstanceGroups!({ ClusterId }, h.request);
  const id = (role: string) => InstanceGroups.find((group) => group.InstanceGroupType === role)!.Id!;
  return { ClusterId, core: id("CORE"), master: id("MASTER") };
}

const putScaling = async (h: Harness, ClusterId: string, InstanceGroupId: string, AutoScalingPolicy: AutoScalingPolicy) =>
  h.handlers.PutAutoScalingPolicy!({ ClusterId, InstanceGroupId, AutoScalingPolicy } as never, h.request);

test("an automatic scaling policy is shown with its defaults by its group, PENDING, until it is removed", async () => {
  const h = await harness();
  const { ClusterId, core } = await scalable(h);
  const answer = await putScaling(h, ClusterId, core, scaling([rule()]));
  const shown = {
    Status: {
      State: "PENDING",
      StateChangeReason: { Code: "USER_REQUEST", Message: "Kept; automatic scaling is not in effect in Howdah yet." },
    },
    Constraints: { MinCapacity: 1, MaxCapacity: 5 },
    Rules: [
      {
        Name: "out",
        Description: "",
        Action: { SimpleScalingPolicyConfiguration: { AdjustmentType: "CHANGE_IN_CAPACITY", ScalingAdjustment: 1, CoolDown: 0 } },
        Trigger: {
          CloudWatchAlarmDefinition: {
            ComparisonOperator: "LESS_THAN",
            MetricName: "YARNMemoryAvailablePercentage",
            Period: 300,
            Threshold: 15,
            EvaluationPeriods: 1,
            Namespace: "AWS/ElasticMapReduce",
            Statistic: "AVERAGE",
            Dimensions: [{ Key: "JobFlowId", Value: ClusterId }],
          },
        },
      },
    ],
  };
  assert.deepEqual(answer, {
    ClusterId,
    InstanceGroupId: core,
    AutoScalingPolicy: shown,
    ClusterArn: `arn:aws:elasticmapreduce:us-east-1:123456789012:cluster/${ClusterId}`,
  });
  const policyOf = async () =>
    (await h.handlers.ListInstanceGroups!({ ClusterId }, h.request)).InstanceGroups!.find(({ Id }) => Id === core)?.AutoScalingPolicy;
  assert.deepEqual(await policyOf(), shown);
  assert.match(
    (await warnings(h, ClusterId)).join("; "),
    new RegExp(`AutoScalingPolicy of ${core} is kept and shown, but has no effect yet`),
  );
  await assert.rejects(
    async () => h.handlers.PutManagedScalingPolicy!({ ClusterId, ManagedScalingPolicy: limits() } as never, h.request),
    /only one kind/,
  );
  await h.handlers.RemoveAutoScalingPolicy!({ ClusterId, InstanceGroupId: core }, h.request);
  assert.equal(await policyOf(), undefined);
  await h.handlers.PutManagedScalingPolicy!({ ClusterId, ManagedScalingPolicy: limits() } as never, h.request);
  await assert.rejects(putScaling(h, ClusterId, core, scaling([rule()])), /only one kind/);
});

const exact = (ScalingAdjustment: number) => ({
  Action: { SimpleScalingPolicyConfiguration: { AdjustmentType: "EXACT_CAPACITY", ScalingAdjustment } },
});
const wrongScaling: [string, AutoScalingPolicy, RegExp][] = [
  ["no core node at all", scaling([rule()], { MinCapacity: 0, MaxCapacity: 5 }), /MinCapacity must be at least 1 for a CORE group, not 0/],
  [
    "a maximum below the minimum",
    scaling([rule()], { MinCapacity: 3, MaxCapacity: 2 }),
    /MaxCapacity \(2\) must not be below MinCapacity \(3\)/,
  ],
  ["two rules of one name", scaling([rule(), rule()]), /Rules\[1\]\.Name: 'out' is another rule's/],
  ["a nameless rule", scaling([rule({ Name: "" })]), /Rules\[0\]\.Name must not be empty/],
  ["a market", scaling([rule({ Action: { ...rule().Action, Market: "SPOT" } })]), /Rules\[0\]\.Action\.Market is not for instance groups/],
  ["a capacity of exactly nothing", scaling([rule(exact(0))]), /ScalingAdjustment must be positive with AdjustmentType EXACT_CAPACITY/],
  [
    "a period that EMR's metrics do not have",
    scaling([rule({}, { Period: 60 })]),
    /Period must be 300 for metrics of AWS\/ElasticMapReduce, not 60/,
  ],
  ["a crooked period", scaling([rule({}, { Period: 61, Namespace: "Mine" })]), /Period must be a multiple of 60 seconds, not 61/],
  ["no periods", scaling([rule({}, { EvaluationPeriods: 0 })]), /EvaluationPeriods must be at least 1, not 0/],
];

for (const [what, policy, message] of wrongScaling)
  test(`an automatic scaling policy with ${what} is refused`, async () => {
    const h = await harness();
    const { ClusterId, core } = await scalable(h);
    await assert.rejects(putScaling(h, ClusterId, core, policy), { name: "ValidationException", message });
  });

test("an automatic scaling policy needs a role of the cluster, and a core or task group of it", async () => {
  const h = await harness();
  const { ClusterId, master } = await scalable(h);
  await assert.rejects(putScaling(h, ClusterId, master, scaling([rule()])), /is the master's group/);
  await assert.rejects(putScaling(h, ClusterId, "ig-NONE", scaling([rule()])), /Instance group id 'ig-NONE' is not valid/);
  const plain = await create(h);
  const { InstanceGroups = [] } = await h.handlers.ListInstanceGroups!({ ClusterId: plain }, h.request);
  await assert.rejects(putScaling(h, plain, InstanceGroups[1]!.Id!, scaling([rule()])), /was created without AutoScalingRole/);
});

test("RunJobFlow attaches policies as their Puts do, with the same warnings", async () => {
  const h = await harness();
  const managed = await create(h, { AutoTerminationPolicy: { IdleTimeout: 90 }, ManagedScalingPolicy: limits() });
  const ClusterId = { ClusterId: managed };
  assert.deepEqual(await h.handlers.GetAutoTerminationPolicy!(ClusterId, h.request), { AutoTerminationPolicy: { IdleTimeout: 90 } });
  assert.deepEqual(await h.handlers.GetManagedScalingPolicy!(ClusterId, h.request), { ManagedScalingPolicy: limits() });
  const said = (await warnings(h, managed)).join("; ");
  for (const name of ["AutoTerminationPolicy", "ManagedScalingPolicy"])
    assert.match(said, new RegExp(`${name} is kept and shown, but has no`));

  const group = (InstanceRole: "MASTER" | "CORE", policy?: AutoScalingPolicy) => ({
    InstanceRole,
    InstanceType: "m5.xlarge",
    InstanceCount: 1,
    AutoScalingPolicy: policy,
  });
  const AutoScalingRole = "EMR_AutoScaling_DefaultRole";
  const Instances = { InstanceGroups: [group("MASTER"), group("CORE", scaling([rule()]))] };
  const scaled = await create(h, { AutoScalingRole, Instances });
  const { InstanceGroups = [] } = await h.handlers.ListInstanceGroups!({ ClusterId: scaled }, h.request);
  assert.deepEqual(
    InstanceGroups.map(({ AutoScalingPolicy: policy }) => [policy?.Status?.State, policy?.Rules?.[0]?.Name]),
    [
      [undefined, undefined],
      ["PENDING", "out"],
    ],
  );
  assert.match((await warnings(h, scaled)).join("; "), /AutoScalingPolicy of ig-\S+ is kept and shown, but has no effect yet/);

  await assert.rejects(create(h, { Instances }), /InstanceGroups\[1\]\.AutoScalingPolicy: the cluster needs an AutoScalingRole/);
  await assert.rejects(create(h, { AutoScalingRole, Instances, ManagedScalingPolicy: limits() }), /only one kind/);
  const onMaster = { InstanceGroups: [group("MASTER", scaling([rule()]))] };
  await assert.rejects(create(h, { AutoScalingRole, Instances: onMaster }), /the master's may not/);
});

test("unhealthy node replacement is on unless it is asked to be off, and can be changed", async () => {
  const h = await harness();
  const ClusterId = await create(h);
  const shown = async () => (await h.handlers.DescribeCluster!({ ClusterId }, h.request)).Cluster?.UnhealthyNodeReplacement;
  const set = (UnhealthyNodeReplacement: boolean) =>
    h.handlers.SetUnhealthyNodeReplacement!({ JobFlowIds: [ClusterId], UnhealthyNodeReplacement }, h.request);
  assert.equal(await shown(), true);
  await set(false);
  assert.equal(await shown(), false);
  assert.ok(!(await warnings(h, ClusterId)).join().includes("UnhealthyNodeReplacement"));
  await set(true);
  assert.equal(await shown(), true);
  assert.ok(!(await warnings(h, ClusterId)).join().includes("UnhealthyNodeReplacement"));
});
