import { existsSync } from "node:fs";
import { clusterState, findCluster, listClusters, stateChangeReason, type ClusterRow } from "../store/clusters.ts";
import { eventsOf } from "../store/events.ts";
import { groupsOf, instancesOf, instanceState } from "../store/instances.ts";
import { activeStates, stepsOf, stepState } from "../store/steps.ts";
import { openStore, type Store } from "../store/store.ts";
import { dataFolder } from "../data-folder.ts";
import { runningControlPlane } from "../running.ts";

/** `howdah status [CLUSTER]`: read from the store, so it answers when the control plane is dead, too. */
export async function status(clusterId: string | undefined, options: { data?: string; json?: boolean }): Promise<void> {
  const data = dataFolder(options.data);
  const running = runningControlPlane(data);
  const up = running ? { endpoint: running.endpoint, pid: running.pid } : null;
  if (!existsSync(data.database)) {
    console.log(options.json ? JSON.stringify({ up, clusters: [] }) : `Howdah has never run in ${data.root}. Run: howdah up`);
    return;
  }
  const store = await openStore(data.database, Date.now);
  try {
    if (clusterId !== undefined) {
      const cluster = await findCluster(store.db, clusterId);
      if (!cluster) throw new Error(`there is no cluster ${clusterId} in ${data.root}`);
      const whole = await describe(store, cluster);
      console.log(options.json ? JSON.stringify(whole, null, 2) : text(whole));
      return;
    }
    const clusters = [];
    for (const cluster of await allClusters(store)) clusters.push(await describe(store, cluster));
    if (options.json) console.log(JSON.stringify({ up, clusters }, null, 2));
    else {
      console.log(
        up
          ? `Howdah is up at ${up.endpoint} (process ${up.pid}), data in ${data.root}`
          : `Howdah is not running. Data in ${data.root}. Run: howdah up --detach`,
      );
      for (const { id, name, state, instances } of clusters)
        console.log(`${id}  ${state.padEnd(22)} ${String(instances.length).padStart(2)} instances  ${name}`);
    }
  } finally {
    await store.close();
  }
}

/** Of every account and region. */
async function allClusters(store: Store): Promise<ClusterRow[]> {
  const places = await store.db.selectFrom("clusters").select(["account_id", "region"]).distinct().execute();
  const lists = await Promise.all(places.map((place) => listClusters(store.db, { accountId: place.account_id, region: place.region })));
  return lists.flat().toSorted((a, b) => b.created_at - a.created_at);
}

async function describe(store: Store, cluster: ClusterRow) {
  const [steps, instances, groups, events] = await Promise.all([
    stepsOf(store.db, cluster.id),
    instancesOf(store.db, cluster.id),
    groupsOf(store.db, cluster.id),
    eventsOf(store.db, cluster.id),
  ]);
  const state = clusterState(
    cluster,
    steps.some((step) => activeStates.includes(step.state)),
  );
  const master = instances[0]?.address;
  return {
    id: cluster.id,
    name: cluster.spec.name,
    state,
    reason: stateChangeReason(cluster, state).Message ?? "",
    userInterfaces: master && state !== "TERMINATED" && state !== "TERMINATED_WITH_ERRORS" ? userInterfaces(master) : {},
    instances: instances.map((instance) => ({
      id: instance.id,
      role: groups.find(({ id }) => id === instance.group_id)?.role ?? "",
      address: instance.address,
      state: instanceState(instance),
      daemons: instance.observed?.daemons.map(({ name, state }) => `${name} ${state}`) ?? [],
    })),
    steps: steps.map((step) => ({ id: step.id, name: step.spec.name, state: stepState(step), failure: step.failure })),
    events: events.map(({ at, kind, message }) => ({ at: new Date(at).toISOString(), kind, message })),
  };
}

const userInterfaces = (master: string): Record<string, string> => ({
  "HDFS NameNode": `http://${master}:9870/`,
  "YARN ResourceManager": `http://${master}:8088/`,
  "Spark history server": `http://${master}:18080/`,
  "MapReduce history server": `http://${master}:19888/`,
});

function text(cluster: Awaited<ReturnType<typeof describe>>): string {
  const lines = [`${cluster.id}  ${cluster.name}  ${cluster.state}  ${cluster.reason}`];
  for (const [name, address] of Object.entries(cluster.userInterfaces)) lines.push(`  ${name.padEnd(26)} ${address}`);
  lines.push("Instances");
  for (const { id, role, address, state, daemons } of cluster.instances)
    lines.push(`  ${id}  ${role.padEnd(6)} ${address.padEnd(15)} ${state.padEnd(13)} ${daemons.join(", ")}`);
  if (cluster.steps.length > 0) lines.push("Steps");
  for (const { id, name, state, failure } of cluster.steps)
    lines.push(
      `  ${id}  ${state.padEnd(14)} ${name}${failure ? `\n      ${failure.Reason} ${failure.Message ?? ""} ${failure.LogFile ?? ""}` : ""}`,
    );
  lines.push("Events");
  for (const { at, kind, message } of cluster.events) lines.push(`  ${at}  ${kind === "warning" ? "WARNING " : ""}${message}`);
  return lines.join("\n");
}
