/** A store that has been in use for long, filled by its own functions: clusters that have ended and clusters that live, with their nodes and steps. */
import type { RequestContext } from "../../src/aws/operations.ts";
import type { ClusterSpec } from "../../src/store/clusters.ts";
import { insertCluster, setClusterStatus } from "../../src/store/clusters.ts";
import { noLogs } from "../../src/reconcile/simulated-link.ts";
import { addEvent } from "../../src/store/events.ts";
import { type Ids, makeIds } from "../../src/store/ids.ts";
import { insertGroup, insertInstance, recordReport, setInstanceStatus } from "../../src/store/instances.ts";
import { insertSteps, setStepStatus, type StepSpec } from "../../src/store/steps.ts";
import type { Store, Tx } from "../../src/store/store.ts";
import { putTags } from "../../src/store/tags.ts";
import { adminKey } from "./keys.ts";
import { m5 } from "./control-plane-harness.ts";

/** Who owns all of it. */
export const owner: RequestContext = {
  requestId: "r",
  region: "us-east-1",
  accountId: adminKey.principal.accountId,
  principal: adminKey.principal,
  accessKeyId: "AKIA",
  sourceIp: "127.0.0.1",
  secure: false,
  userAgent: "test",
  now: new Date(),
  unknownMembers: [],
};

const spec: ClusterSpec = {
  name: "nightly",
  releaseLabel: "emr-7.13.0",
  logUri: "s3://logs/emr/",
  applications: [
    { Name: "Hadoop", Version: "3.4.2" },
    { Name: "Spark", Version: "3.5.6" },
  ],
  configurations: [{ Classification: "spark-defaults", Properties: { "spark.executor.memory": "2g" }, Configurations: [] }],
  bootstrapActions: [],
  shown: { ServiceRole: "EMR_DefaultRole", AutoTerminate: false },
};
const stepSpec: StepSpec = {
  name: "load",
  actionOnFailure: "CONTINUE",
  jar: "command-runner.jar",
  mainClass: null,
  args: ["spark-submit", "--deploy-mode", "cluster", "s3://jobs/load.py", "--date", "2026-01-01"],
  properties: {},
};

export interface Fill {
  clusters: number;
  /** Of all clusters together; each has as many as the others. */
  steps: number;
  instances: number;
  /** So many of the clusters live and wait for steps: they are spread over the others. */
  living: number;
}

export interface Filled {
  /** In the order in which they were made. */
  clusters: string[];
  living: string[];
}

const atOnce = 200;

/** `later`: how many clusters are made after these. */
export async function fillStore(store: Store, fill: Fill, ids: Ids = makeIds(), later = 0): Promise<Filled> {
  const { clusters, steps, instances, living } = fill;
  const filled: Filled = { clusters: [], living: [] };
  const share = (of: number, n: number) => Math.floor((of * (n + 1)) / clusters) - Math.floor((of * n) / clusters);
  for (let from = 0; from < clusters; from += atOnce)
    await store.transaction(async (tx) => {
      for (let n = from; n < Math.min(clusters, from + atOnce); n++) {
        const lives = share(living, n) > 0;
        // A minute between two clusters.
        const at = store.now() - (later + clusters - n) * 60_000;
        const id = await one({ ...tx, now: at }, ids, later + n, lives, share(steps, n), share(instances, n));
        filled.clusters.push(id);
        if (lives) filled.living.push(id);
      }
    });
  return filled;
}

async function one(tx: Tx, ids: Ids, n: number, lives: boolean, steps: number, instances: number): Promise<string> {
  const id = ids.cluster();
  const network = `127.${64 + ((n >> 8) & 63)}.${n & 255}`;
  await insertCluster(tx, {
    id,
    account_id: owner.accountId,
    region: owner.region,
    spec,
    termination_protected: 0,
    keep_alive: 1,
    step_concurrency_level: 1,
    visible_to_all_users: 1,
    extended_support: null,
    unhealthy_node_replacement: 0,
    managed_scaling_policy: null,
    auto_termination_policy: null,
  });
  await putTags(tx, id, [{ Key: "team", Value: `${n % 10}` }]);
  const groups = [
    { id: ids.instanceGroup(), role: "MASTER" as const, count: 1 },
    { id: ids.instanceGroup(), role: "CORE" as const, count: Math.max(0, instances - 1) },
  ];
  const common = {
    fleet: null,
    cluster_id: id,
    market: "ON_DEMAND",
    bid_price: null,
    instance_type: "m5.xlarge",
    configurations: [],
    ebs: null,
  };
  for (const { id: group, role, count } of groups)
    await insertGroup(tx, { ...common, id: group, role, name: role, requested_count: count, founding_count: count });
  for (let ordinal = 1; ordinal <= instances; ordinal++) {
    const instanceId = ids.instance();
    const group_id = groups[ordinal === 1 ? 0 : 1]!.id;
    await insertInstance(tx, {
      id: instanceId,
      cluster_instance_id: ids.clusterInstance(),
      cluster_id: id,
      group_id,
      ordinal,
      address: `${network}.${ordinal}`,
      agent_token: ids.token(),
      ...m5,
    });
    // Word by word as a simulated node says it: when it begins to talk, nothing of it is news.
    await recordReport(tx, {
      instanceId,
      bootId: "simulated",
      seq: 1,
      generation: 1,
      phase: lives ? "ready" : "stopped",
      bootstrapActions: [],
      daemons: [],
      tasks: [],
      steps: [],
      warnings: ordinal === 1 ? [noLogs] : [],
    });
    await setInstanceStatus(tx, instanceId, {
      launched_at: tx.now,
      ...(lives ? { status: "launched" } : { status: "terminated", ended_at: tx.now + 50_000, end_code: "CLUSTER_TERMINATED" }),
    });
    await addEvent(tx, id, "instance", `${instanceId} launched at ${network}.${ordinal}`);
  }
  const stepIds = Array.from({ length: steps }, () => ids.step());
  await insertSteps(
    tx,
    id,
    stepIds.map((stepId) => ({ id: stepId, spec: stepSpec })),
  );
  for (const [index, stepId] of stepIds.entries()) {
    const state = index % 7 === 6 ? "FAILED" : "COMPLETED";
    await setStepStatus(tx, stepId, { state, started_at: tx.now + 1000, ended_at: tx.now + 2000 });
    await addEvent(tx, id, "step", `${stepId} load: ${state.toLowerCase()}`);
  }
  const ended = { phase: "ended", ended_at: tx.now + 55_000 } as const;
  const ending = { code: "USER_REQUEST", message: "Terminated by user request", failed: n % 5 === 0, details: [] } as const;
  await setClusterStatus(tx, id, {
    network,
    ready_at: tx.now + 500,
    ...(lives ? { phase: "ready" } : { ...ended, ending: { ...ending, details: [] } }),
  });
  return id;
}
