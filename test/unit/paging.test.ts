/** Lists page by page, while what they list changes. */
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { describe, test } from "node:test";
import type { ClusterState, StepState } from "@aws-sdk/client-emr";
import fc from "fast-check";
import { openList } from "../../src/api/emr/paging.ts";
import { pageOfClusters } from "../../src/store/cluster-lists.ts";
import { type ClusterEnding, clusterState, insertCluster, setClusterStatus, setClusterWish } from "../../src/store/clusters.ts";
import {
  countActiveSteps,
  insertSteps,
  pageOfSteps,
  setStepCancellation,
  setStepStatus,
  stepsOf,
  stepState,
} from "../../src/store/steps.ts";
import { create, type Harness, harness, step } from "./control-plane-harness.ts";

const states: ClusterState[] = ["STARTING", "BOOTSTRAPPING", "RUNNING", "WAITING", "TERMINATING", "TERMINATED", "TERMINATED_WITH_ERRORS"];

const spec = { name: "n", releaseLabel: "emr-7.13.0", logUri: null, applications: [], configurations: [], bootstrapActions: [], shown: {} };
const stepSpec = { name: "s", actionOnFailure: "CONTINUE" as const, jar: "command-runner.jar", mainClass: null, args: [], properties: {} };
const ending = (failed: boolean): ClusterEnding => ({ code: "USER_REQUEST", message: "", failed, details: [] });

/** A cluster without nodes, written as RunJobFlow writes it. */
async function insert(h: Harness, state: ClusterState = "WAITING"): Promise<string> {
  const id = h.ids.cluster();
  await h.store.transaction((tx) =>
    insertCluster(tx, {
      id,
      account_id: h.request.accountId,
      region: h.request.region,
      spec,
      termination_protected: 0,
      keep_alive: 1,
      step_concurrency_level: 1,
      visible_to_all_users: 1,
      extended_support: null,
      unhealthy_node_replacement: 1,
      managed_scaling_policy: null,
      auto_termination_policy: null,
    }),
  );
  await become(h, id, state);
  return id;
}

/** As the reconcilers would have made it, whatever it was before. */
async function become(h: Harness, id: string, state: ClusterState): Promise<void> {
  await h.store.transaction(async (tx) => {
    await tx.db.deleteFrom("steps").where("cluster_id", "=", id).execute();
    await setClusterWish(tx, id, { terminate_requested_at: state === "TERMINATING" ? tx.now : null });
    const phases = {
      STARTING: "starting",
      BOOTSTRAPPING: "bootstrapping",
      RUNNING: "ready",
      WAITING: "ready",
      TERMINATING: "ready",
      TERMINATED: "ended",
      TERMINATED_WITH_ERRORS: "ended",
    } as const;
    const hasEnded = phases[state] === "ended";
    await setClusterStatus(tx, id, { phase: phases[state], ending: hasEnded ? ending(state === "TERMINATED_WITH_ERRORS") : null });
    if (state === "RUNNING") await insertSteps(tx, id, [{ id: h.ids.step(), spec: stepSpec }]);
  });
}

/** Every page of a list; `between` runs before each page but the first. */
async function read<Item>(
  next: (Marker: string | undefined) => Promise<{ items: Item[]; Marker: string | undefined }>,
  between: () => Promise<void> = async () => {},
): Promise<Item[]> {
  const all: Item[] = [];
  for (let Marker: string | undefined, first = true; first || Marker; first = false) {
    if (!first) await between();
    const page = await next(Marker);
    all.push(...page.items);
    Marker = page.Marker;
  }
  return all;
}

const clusters = (h: Harness, filter: object, between?: () => Promise<void>) =>
  read(async (Marker) => {
    const page = await h.handlers.ListClusters!({ ...filter, Marker } as never, h.request);
    assert.ok(page.Clusters!.length <= 50);
    return { items: page.Clusters!.map(({ Id }) => Id!), Marker: page.Marker };
  }, between);

const stateOf = async (h: Harness, id: string): Promise<ClusterState> => {
  const { Cluster } = await h.handlers.DescribeCluster!({ ClusterId: id }, h.request);
  return Cluster!.Status!.State!;
};

describe("ListClusters", () => {
  test("neither repeats nor leaves out a cluster that was there all the time, while others come and change", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom(...states), { minLength: 60, maxLength: 130 }),
        fc.subarray(states),
        fc.array(fc.record({ at: fc.nat(), to: fc.constantFrom(...states) }), { maxLength: 10 }),
        fc.infiniteStream(fc.boolean()),
        async (made, wanted, changes, ticks) => {
          const h = await harness();
          const ids: string[] = [];
          for (const state of made) {
            // Several have the same time.
            if (ticks.next().value) h.advance(1);
            ids.push(await insert(h, state));
          }
          const changed = new Set<string>();
          const between = async () => {
            for (const { at, to } of changes) {
              const id = ids[at % ids.length]!;
              changed.add(id);
              await become(h, id, to);
            }
            h.advance(1);
            await insert(h, "WAITING");
          };
          const listed = await clusters(h, { ClusterStates: wanted }, between);
          assert.equal(new Set(listed).size, listed.length, "a cluster is listed twice");
          const expected = ids.filter((id, n) => !changed.has(id) && (wanted.length === 0 || wanted.includes(made[n]!)));
          assert.deepEqual(expected.toReversed().toSorted(), listed.filter((id) => expected.includes(id)).toSorted());
          if (wanted.length === 0) assert.deepEqual(new Set(listed), new Set(ids), "an unfiltered list has all that were there");
        },
      ),
      { numRuns: 15 },
    );
  });

  test("finds by SQL exactly the state that DescribeCluster shows, newest first", async () => {
    const h = await harness();
    const ids: string[] = [];
    for (let n = 0; n < 120; n++) {
      if (n % 3 === 0) h.advance(1000);
      ids.push(await insert(h, states[n % states.length]!));
    }
    const rows = await pageOfClusters(h.store.db, h.request, undefined, 1000);
    const newestFirst = rows.map(({ id }) => id);
    assert.deepEqual(newestFirst.toSorted(), ids.toSorted());
    for (const [index, row] of rows.entries()) assert.ok(index === 0 || row.created_at <= rows[index - 1]!.created_at);
    const shown = new Map<string, ClusterState>();
    for (const id of ids) shown.set(id, await stateOf(h, id));
    for (const row of rows) assert.equal(clusterState(row, (await countActiveSteps(h.store.db, row.id)).active > 0), shown.get(row.id));
    for (const state of states)
      assert.deepEqual(
        await clusters(h, { ClusterStates: [state] }),
        newestFirst.filter((id) => shown.get(id) === state),
        state,
      );
    for (const some of [
      ["RUNNING", "TERMINATED"],
      ["WAITING", "TERMINATED_WITH_ERRORS", "STARTING"],
    ] as ClusterState[][])
      assert.deepEqual(
        await clusters(h, { ClusterStates: some }),
        newestFirst.filter((id) => some.includes(shown.get(id)!)),
      );
  });

  test("takes clusters from one time to another, both included", async () => {
    const h = await harness();
    const made: { id: string; at: Date }[] = [];
    for (let n = 0; n < 5; n++) {
      h.advance(1000);
      made.unshift({ id: await insert(h), at: new Date(h.store.now()) });
    }
    const between = { CreatedAfter: made[3]!.at, CreatedBefore: made[1]!.at };
    assert.deepEqual(
      await clusters(h, between),
      made.slice(1, 4).map(({ id }) => id),
    );
  });
});

const steps = (h: Harness, ClusterId: string, filter: object, between?: () => Promise<void>) =>
  read(async (Marker) => {
    const page = await h.handlers.ListSteps!({ ClusterId, ...filter, Marker } as never, h.request);
    assert.ok(page.Steps!.length <= 50);
    return { items: page.Steps!.map(({ Id }) => Id!), Marker: page.Marker };
  }, between);

type Stored = "PENDING" | "RUNNING" | "COMPLETED" | "FAILED" | "CANCELLED" | "INTERRUPTED";
const stored: Stored[] = ["PENDING", "RUNNING", "COMPLETED", "FAILED", "CANCELLED", "INTERRUPTED"];

describe("ListSteps", () => {
  test("neither repeats nor leaves out a step that was there all the time, while others come, run and end", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ state: fc.constantFrom(...stored), isCancelled: fc.boolean() }), { minLength: 60, maxLength: 160 }),
        fc.subarray<StepState>([...stored, "CANCEL_PENDING"]),
        fc.array(fc.record({ at: fc.nat(), to: fc.constantFrom(...stored) }), { maxLength: 10 }),
        async (made, wanted, changes) => {
          const h = await harness();
          const cluster = await insert(h);
          const ids = made.map(() => h.ids.step());
          await h.store.transaction(async (tx) => {
            await insertSteps(
              tx,
              cluster,
              ids.map((id) => ({ id, spec: stepSpec })),
            );
            for (const [n, { state, isCancelled }] of made.entries()) {
              await setStepStatus(tx, ids[n]!, { state });
              if (isCancelled) await setStepCancellation(tx, ids[n]!, "SEND_INTERRUPT");
            }
          });
          const shown = new Map((await stepsOf(h.store.db, cluster)).map((row) => [row.id, stepState(row)]));
          const changed = new Set<string>();
          const between = () =>
            h.store.transaction(async (tx) => {
              for (const { at, to } of changes) {
                changed.add(ids[at % ids.length]!);
                await setStepStatus(tx, ids[at % ids.length]!, { state: to });
              }
              await insertSteps(tx, cluster, [{ id: h.ids.step(), spec: stepSpec }]);
            });
          const listed = await steps(h, cluster, wanted.length > 0 ? { StepStates: wanted } : {}, between);
          assert.equal(new Set(listed).size, listed.length, "a step is listed twice");
          const expected = ids.filter((id) => !changed.has(id) && (wanted.length === 0 || wanted.includes(shown.get(id)!))).toReversed();
          assert.deepEqual(
            listed.filter((id) => expected.includes(id)),
            expected,
          );
        },
      ),
      { numRuns: 15 },
    );
  });

  test("by ids keeps their order, and refuses what it cannot do", async () => {
    const h = await harness();
    const ClusterId = await create(h, { Steps: [step("a"), step("b"), step("c")] });
    const [c, b, a] = await steps(h, ClusterId, {});
    assert.deepEqual(await steps(h, ClusterId, { StepIds: [b, c, a, b] }), [b, c, a, b]);
    const refused = (filter: object, message: RegExp) =>
      assert.rejects(steps(h, ClusterId, filter), { name: "InvalidRequestException", message });
    await refused({ StepIds: [a], StepStates: [] }, /Cannot specify both StepIds and StepStates/);
    await refused({ StepIds: Array.from({ length: 11 }, () => a) }, /at most 10 step ids/);
    await refused({ StepIds: ["s-NONE"] }, /Step id 's-NONE' is not valid/);
    const other = await create(h);
    await assert.rejects(steps(h, other, { StepIds: [a] }), /Step id '.*' is not valid/);
    await assert.rejects(async () => h.handlers.DescribeStep!({ ClusterId: other, StepId: a! }, h.request), /Step id '.*' is not valid/);
  });
});

describe("a marker", () => {
  const caller = { accountId: "123456789012", region: "us-east-1" };
  const listed = (marker?: string, filters: object = { a: 1, b: ["x"] }, operation = "ListThings", who = caller) =>
    openList(operation, who, filters, ["number", "string"], marker);
  const marker = listed().page([1, 2], 1, (n) => [n, "x"]).Marker!;

  test("leads to the place where its page ended, whatever the order of the filters", () => {
    assert.deepEqual(listed(marker).after, [1, "x"]);
    assert.deepEqual(listed(marker, { b: ["x"], a: 1, c: undefined }).after, [1, "x"]);
    assert.equal(listed("").after, undefined);
    assert.equal(listed().page([1], 1, (n) => [n, "x"]).Marker, undefined);
  });

  test("is good for its own list only", () => {
    const notValid = { name: "InvalidRequestException", message: /^Marker '.*' is not valid/ };
    assert.throws(() => listed(marker, { a: 2, b: ["x"] }), notValid);
    assert.throws(() => listed(marker, { a: 1 }), notValid);
    assert.throws(() => listed(marker, undefined, "ListOthers"), notValid);
    assert.throws(() => listed(marker, undefined, undefined, { ...caller, accountId: "999999999999" }), notValid);
    assert.throws(() => listed(marker, undefined, undefined, { ...caller, region: "eu-west-1" }), notValid);
    assert.throws(() => openList("ListThings", caller, { a: 1, b: ["x"] }, ["string"], marker), notValid);
  });

  test("that is damaged or made up is not valid", () => {
    const isRefused = (text: string) => {
      try {
        return text === "" || listed(text).after === undefined;
      } catch (error) {
        return (error as Error).name === "InvalidRequestException";
      }
    };
    fc.assert(fc.property(fc.string(), isRefused));
    fc.assert(fc.property(fc.base64String(), isRefused));
    fc.assert(fc.property(fc.json(), (json) => isRefused(Buffer.from(`123456789012${json}`).toString("base64url"))));
    fc.assert(
      fc.property(fc.nat({ max: marker.length - 1 }), fc.constantFrom(..."ABCDwxyz0189"), (at, letter) => {
        const damaged = marker.slice(0, at) + letter + marker.slice(at + 1);
        return Buffer.from(damaged, "base64url").equals(Buffer.from(marker, "base64url")) || isRefused(damaged);
      }),
    );
    assert.throws(
      () => listed("x".repeat(1e6)),
      (error: Error) => error.message.length < 300,
    );
  });

  test("of a list that is one page is refused", async () => {
    const h = await harness();
    const ClusterId = await create(h);
    for (const name of ["ListInstanceGroups", "ListBootstrapActions", "ListInstances", "ListSecurityConfigurations"])
      await assert.rejects(
        async () => h.handlers[name as "ListInstanceGroups"]!({ ClusterId, Marker: marker }, h.request),
        /Marker '.*' is not valid/,
        name,
      );
  });
});

describe("ListInstances", () => {
  test("by group, type and state; the master first", async () => {
    const h = await harness();
    const ClusterId = await create(h);
    const list = async (filter: object) => (await h.handlers.ListInstances!({ ClusterId, ...filter } as never, h.request)).Instances!;
    const all = await list({});
    assert.equal(all.length, 3);
    const { InstanceGroups = [] } = await h.handlers.ListInstanceGroups!({ ClusterId }, h.request);
    const [master, core] = InstanceGroups;
    assert.equal(all[0]!.InstanceGroupId, master!.Id);
    assert.deepEqual(await list({ InstanceGroupId: core!.Id }), all.slice(1));
    assert.deepEqual(await list({ InstanceGroupTypes: ["MASTER", "TASK"] }), all.slice(0, 1));
    assert.deepEqual(await list({ InstanceStates: ["PROVISIONING"] }), all);
    assert.deepEqual(await list({ InstanceStates: ["RUNNING", "TERMINATED"] }), []);
    await assert.rejects(list({ InstanceGroupId: "ig-NONE" }), /Instance group id 'ig-NONE' is not valid/);
    await assert.rejects(list({ InstanceGroupId: core!.Id, InstanceGroupTypes: ["CORE"] }), /Cannot specify both/);
    for (const filter of [{ InstanceFleetId: "if-1" }, { InstanceFleetType: "CORE" }])
      await assert.rejects(list(filter), { name: "InvalidRequestException", message: /uses instance groups/ });
  });

  test("by fleets is refused as for any cluster of groups", async () => {
    const h = await harness();
    const ClusterId = await create(h);
    await assert.rejects(async () => h.handlers.ListInstanceFleets!({ ClusterId }, h.request), {
      name: "InvalidRequestException",
      message: /mutually exclusive.*Use the ListInstanceGroups operation/,
    });
    await assert.rejects(
      async () => h.handlers.ListInstanceFleets!({ ClusterId: "j-NONE" }, h.request),
      /Cluster id 'j-NONE' is not valid/,
    );
  });

  test("forgets what ended more than 30 days ago", async () => {
    const h = await harness();
    const ClusterId = await create(h);
    await h.handlers.TerminateJobFlows!({ JobFlowIds: [ClusterId] }, h.request);
    await h.settle();
    for (let n = 0; n < 3; n++) {
      h.advance(60_000);
      await h.settle();
    }
    const count = async () => (await h.handlers.ListInstances!({ ClusterId }, h.request)).Instances!.length;
    assert.equal(await count(), 3);
    h.advance(29 * 24 * 3600_000);
    assert.equal(await count(), 3);
    h.advance(24 * 3600_000);
    assert.equal(await count(), 0);
  });
});

/** Whatever is asked of the database while `work` runs, and how SQLite goes about it. */
async function plans(work: () => Promise<unknown>): Promise<string[]> {
  const original = DatabaseSync.prototype.prepare;
  const found: string[] = [];
  DatabaseSync.prototype.prepare = function (sql, ...rest) {
    if (/^select/i.test(sql))
      for (const row of original.call(this, `EXPLAIN QUERY PLAN ${sql}`).all()) found.push(`${String(row["detail"])} [${sql}]`);
    return original.call(this, sql, ...rest);
  };
  await work().finally(() => {
    DatabaseSync.prototype.prepare = original;
  });
  return found;
}

describe("a page costs the same in a large store", () => {
  test("no list of clusters or steps reads a whole table, or sorts more than a page", async () => {
    const h = await harness();
    const ClusterId = await create(h, { Steps: [step("a")] });
    const [StepId] = await steps(h, ClusterId, {});
    const calls: [string, () => Promise<unknown>][] = [
      ["ListClusters", () => clusters(h, {})],
      ["ListClusters by time", () => clusters(h, { CreatedAfter: new Date(0), CreatedBefore: new Date(h.store.now()) })],
      ...states.map((state): [string, () => Promise<unknown>] => [`ListClusters ${state}`, () => clusters(h, { ClusterStates: [state] })]),
      ["ListClusters of several states", () => clusters(h, { ClusterStates: [...states] })],
      ["a later page of clusters", () => pageOfClusters(h.store.db, { ...h.request, states }, [1, "j-1"], 51)],
      ["DescribeCluster", async () => h.handlers.DescribeCluster!({ ClusterId }, h.request)],
      ["ListSteps", () => steps(h, ClusterId, {})],
      ["ListSteps by state", () => steps(h, ClusterId, { StepStates: [...stored, "CANCEL_PENDING"] })],
      ["a later page of steps", () => pageOfSteps(h.store.db, ClusterId, stored, 5, 51)],
      ["ListSteps by id", () => steps(h, ClusterId, { StepIds: [StepId] })],
      ["DescribeStep", async () => h.handlers.DescribeStep!({ ClusterId, StepId: StepId! }, h.request)],
      ["CancelSteps", async () => h.handlers.CancelSteps!({ ClusterId, StepIds: ["s-NONE"] }, h.request)],
      ["AddJobFlowSteps", async () => h.handlers.AddJobFlowSteps!({ JobFlowId: ClusterId, Steps: [step("b")] } as never, h.request)],
      ["a warning", async () => h.handlers.PutAutoTerminationPolicy!({ ClusterId }, h.request)],
    ];
    for (const [what, call] of calls)
      for (const plan of await plans(call)) {
        assert.doesNotMatch(plan, /^SCAN (clusters|steps|instances|events)/, what);
        // No state's clusters are looked for among those of others.
        if (/^SEARCH clusters\b/.test(plan) && plan.includes("noted_state"))
          assert.match(
            plan,
            /^SEARCH clusters USING (COVERING )?INDEX clusters_by_state \(account_id=\? AND region=\? AND noted_state=\?/,
            what,
          );
        // All of an account's are read in their order, and only so many.
        if (!plan.includes("limit ?")) assert.doesNotMatch(plan, /^SEARCH clusters USING INDEX \w+ \(account_id=/, what);
        // Those that are being cancelled are at most 256.
        if (!plan.includes("cancel_requested_at")) assert.doesNotMatch(plan, /^USE TEMP B-TREE FOR ORDER BY/, what);
        // Steps of a cluster are found by more than the cluster, or only some of them are read, in the index's order.
        if (!plan.includes("limit ?")) assert.doesNotMatch(plan, /^SEARCH steps USING INDEX \w+ \(cluster_id=\?\)/, what);
      }
  });
});
