/** The spot market: its prices, who has capacity at which bid, and whom it takes back. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { calm, createSpotMarket, type SpotMarket } from "../../src/market/spot.ts";
import { eventsOf } from "../../src/store/events.ts";
import { chooseTypes, type Fleet, type FleetType } from "../../src/store/fleets.ts";
import { instancesOf } from "../../src/store/instances.ts";
import { create, type Harness, harness, makeReady, state } from "./control-plane-harness.ts";

const zone = "us-east-1a";
const hourMs = 3600_000;
const onDemand = 0.192;

test("prices go by seed, type, zone and time, stay for an hour, move by a tenth, and never exceed those on demand", () => {
  const [one, other] = [createSpotMarket(), createSpotMarket({ ...calm, seed: 2 })];
  const hours = Array.from({ length: 200 }, (_, n) => n * hourMs);
  const prices = hours.map((at) => one.price("m5.xlarge", zone, at));
  assert.deepEqual(
    prices,
    hours.map((at) => createSpotMarket().price("m5.xlarge", zone, at + hourMs - 1)),
  );
  for (const [name, others] of [
    ["seed", hours.map((at) => other.price("m5.xlarge", zone, at))],
    ["zone", hours.map((at) => one.price("m5.xlarge", "us-east-1b", at))],
  ] as const)
    assert.notDeepEqual(prices, others, name);
  for (const price of prices) assert.ok(price >= onDemand * 0.33 * 0.899 && price <= onDemand * 0.33 * 1.101, String(price));
  assert.ok(Math.max(...prices) > Math.min(...prices) * 1.1);
  const wild = createSpotMarket({ ...calm, price: 0.9, moves: 1 });
  assert.ok(hours.every((at) => wild.price("m5.xlarge", zone, at) <= onDemand));
  assert.ok(hours.some((at) => wild.price("m5.xlarge", zone, at) === onDemand));
});

test("capacity has an end where it is said, and shrinks by as much as prices move", () => {
  const market = createSpotMarket({ ...calm, capacity: { "m5.xlarge": 10 }, moves: 0.5 });
  const seen = new Set(Array.from({ length: 200 }, (_, n) => market.capacity("m5.xlarge", zone, n * hourMs)));
  assert.deepEqual([Math.min(...seen), Math.max(...seen)], [5, 10]);
  assert.equal(market.capacity("m5.2xlarge", zone, 0), Infinity);
});

/** Prices and capacity as a test sets them. */
function given(h: Harness): { price: number; capacity: number } {
  const now = { price: 0.06, capacity: Infinity };
  const market: SpotMarket = {
    ...createSpotMarket({ ...calm, interruptions: true }),
    isLimited: true,
    price: () => now.price,
    capacity: () => now.capacity,
  };
  h.context.market = market;
  return now;
}

const group = (InstanceRole: "MASTER" | "CORE" | "TASK", InstanceCount: number, BidPrice?: string) => ({
  InstanceRole,
  InstanceCount,
  InstanceType: "m5.xlarge",
  ...(BidPrice === undefined ? {} : { Market: "SPOT" as const, BidPrice }),
});
const run = (h: Harness, ...InstanceGroups: ReturnType<typeof group>[]) =>
  create(h, { Instances: { InstanceGroups, KeepJobFlowAliveWhenNoSteps: true } });
const living = async (h: Harness, id: string) => (await instancesOf(h.store.db, id)).filter(({ status }) => status !== "terminated");
const groupState = async (h: Harness, ClusterId: string, role: string) =>
  (await h.handlers.ListInstanceGroups!({ ClusterId } as never, h.request)).InstanceGroups!.find((one) => one.InstanceGroupType === role)
    ?.Status?.State;
const messages = async (h: Harness, id: string, kind: string) =>
  (await eventsOf(h.store.db, id)).filter((event) => event.kind === kind).map(({ message }) => message);
const pass = async (h: Harness, seconds: number) => {
  h.advance(seconds * 1000);
  await h.settle();
};

test("a group waits, PROVISIONING, while the price exceeds its bid, with a warning, and its cluster is ready when it has come", async () => {
  const h = await harness();
  const now = given(h);
  const id = await run(h, group("MASTER", 1), group("CORE", 1), group("TASK", 2, "0.05"));
  await makeReady(h, id);
  assert.deepEqual([(await living(h, id)).length, (await state(h, id))?.State], [2, "STARTING"]);
  assert.equal(await groupState(h, id, "TASK"), "PROVISIONING");
  assert.ok((await messages(h, id, "warning")).some((text) => text.startsWith("the spot market has no capacity for all of ig-")));
  await pass(h, 3 * 3600);
  assert.equal((await state(h, id))?.State, "STARTING", "a group has no timeout");
  now.price = 0.05;
  await pass(h, 15);
  assert.equal((await living(h, id)).length, 4);
  await makeReady(h, id);
  assert.equal((await state(h, id))?.State, "WAITING");
});

test("a cluster whose master waits for the market has nothing, and can be ended; a fleet's master is taken on demand after its time", async () => {
  const h = await harness();
  const now = given(h);
  now.price = 0.1;
  const id = await run(h, group("MASTER", 1, "0.05"), group("CORE", 1));
  assert.deepEqual([(await living(h, id)).length, (await state(h, id))?.State], [0, "STARTING"]);
  const fleet = (InstanceFleetType: string, TargetOnDemandCapacity: number, TargetSpotCapacity: number) => ({
    InstanceFleetType,
    TargetOnDemandCapacity,
    TargetSpotCapacity,
    InstanceTypeConfigs: [{ InstanceType: "m5.xlarge", BidPriceAsPercentageOfOnDemandPrice: 50 }],
    LaunchSpecifications: { SpotSpecification: { TimeoutDurationMinutes: 5, TimeoutAction: "SWITCH_TO_ON_DEMAND" } },
  });
  const InstanceFleets = [fleet("MASTER", 0, 1), fleet("CORE", 1, 0)] as never;
  const other = await create(h, { Instances: { InstanceFleets, KeepJobFlowAliveWhenNoSteps: true } });
  assert.equal((await living(h, other)).length, 0);
  await pass(h, 301);
  assert.deepEqual(
    (await living(h, other)).map(({ market }) => market),
    ["ON_DEMAND", "ON_DEMAND"],
  );
  await h.handlers.TerminateJobFlows!({ JobFlowIds: [id] }, h.request);
  await h.settle();
  assert.equal((await state(h, id))?.State, "TERMINATED");
});

test("two clusters do not have the same capacity, and one that lacks some has it when the other ends", async () => {
  const h = await harness();
  const now = given(h);
  now.capacity = 3;
  const first = await run(h, group("MASTER", 1), group("CORE", 1), group("TASK", 2, "0.1"));
  const second = await run(h, group("MASTER", 1), group("CORE", 1), group("TASK", 2, "0.1"));
  await makeReady(h, first);
  await makeReady(h, second);
  assert.deepEqual([(await living(h, first)).length, (await living(h, second)).length], [4, 3]);
  assert.deepEqual([(await state(h, first))?.State, (await state(h, second))?.State], ["WAITING", "STARTING"]);
  await h.handlers.TerminateJobFlows!({ JobFlowIds: [first] }, h.request);
  await h.settle();
  await pass(h, 400);
  await pass(h, 16);
  assert.equal((await living(h, second)).length, 4);
});

test("who bids less than the price has its notice, and is replaced when the price has fallen again; nobody has where the market is calm", async () => {
  const h = await harness();
  const now = given(h);
  const id = await run(h, group("MASTER", 1), group("CORE", 1), group("TASK", 1, "0.07"), group("TASK", 1, "0.15"));
  await makeReady(h, id);
  const [, , cheap, dear] = await living(h, id);
  now.price = 0.08;
  await h.store.transaction((tx) => tx.wake("watch", "market"));
  await h.settle();
  const told = (await messages(h, id, "instance")).filter((text) => text.includes("Interruption Warning"));
  assert.equal(told.length, 1);
  assert.ok(told[0]!.startsWith(`${cheap!.id} (task): EC2 Spot Instance Interruption Warning: the price of m5.xlarge in us-east-1`));
  assert.match(told[0]!, / is 0\.08, and the bid 0\.07\./);
  await pass(h, 130);
  await h.settle();
  assert.ok(!(await living(h, id)).some(({ id: one }) => one === cheap!.id));
  assert.equal((await living(h, id)).length, 3, "nobody comes at that price");
  now.price = 0.06;
  await pass(h, 16);
  assert.equal((await living(h, id)).length, 4);
  assert.ok((await living(h, id)).some(({ id: one }) => one === dear!.id));
  h.context.market = createSpotMarket({ ...calm, price: 1 });
  await pass(h, 600);
  assert.equal((await messages(h, id, "instance")).filter((text) => text.includes("Interruption Warning")).length, 1);
});

test("where capacity shrinks the newest have their notice", async () => {
  const h = await harness();
  const now = given(h);
  const id = await run(h, group("MASTER", 1), group("CORE", 1), group("TASK", 3, "0.1"));
  await makeReady(h, id);
  const newest = (await living(h, id)).at(-1)!;
  now.capacity = 2;
  await h.store.transaction((tx) => tx.wake("watch", "market"));
  await h.settle();
  await pass(h, 20);
  const noticed = (await instancesOf(h.store.db, id)).filter(({ interrupted_at: at }) => at !== null).map((one) => one.id);
  assert.deepEqual(noticed, [newest.id]);
});

test("fleets choose by the market's prices and capacity, as their strategies say, and only where the bid holds", () => {
  const type = (instanceType: string, weight: number, bidPrice: string | null = null): FleetType => ({
    instanceType,
    weight,
    priority: null,
    bidPrice,
    bidPercentage: bidPrice === null ? 100 : null,
    configurations: [],
    ebs: null,
  });
  const prices: Record<string, number> = { "m5.xlarge": 0.06, "m5.2xlarge": 0.1, "c5.xlarge": 0.04 };
  const rooms: Record<string, number> = { "m5.xlarge": 9, "m5.2xlarge": 2, "c5.xlarge": 1 };
  const offer = { price: (name: string) => prices[name]!, room: (name: string) => rooms[name]! };
  const choose = (strategy: string, units: number, types = [type("m5.xlarge", 1), type("m5.2xlarge", 2), type("c5.xlarge", 1)]) => {
    const launch = { SpotSpecification: { TimeoutDurationMinutes: 5, TimeoutAction: "TERMINATE_CLUSTER", AllocationStrategy: strategy } };
    const fleet = { onDemand: 0, spot: units, types, offered: [...types.keys()], launch, resize: null, context: null, founding: [] };
    return chooseTypes(fleet as Fleet, "SPOT", units, false, new Map(), offer).map((one) => one.instance_type);
  };
  assert.deepEqual(choose("lowest-price", 4), ["c5.xlarge", "m5.2xlarge", "m5.xlarge"]);
  assert.deepEqual(choose("capacity-optimized", 3), ["m5.xlarge", "m5.xlarge", "m5.xlarge"]);
  // Of the pools that are deep enough for four units, the cheapest by unit.
  assert.deepEqual(choose("price-capacity-optimized", 4), ["m5.2xlarge", "m5.2xlarge"]);
  assert.deepEqual(choose("lowest-price", 3, [type("m5.xlarge", 1), type("c5.xlarge", 1, "0.03")]), [
    "m5.xlarge",
    "m5.xlarge",
    "m5.xlarge",
  ]);
  assert.deepEqual(choose("lowest-price", 3, [type("c5.xlarge", 1)]), ["c5.xlarge"], "no more than there is");
  assert.deepEqual(
    choose("lowest-price", 2, [type("c5.xlarge", 1), type("m5.2xlarge", 3)]),
    ["m5.2xlarge"],
    "none that another makes needless",
  );
});
