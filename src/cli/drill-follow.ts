/** What a cluster makes of a drill: its events, its groups, what YARN and HDFS say, and when; until all is well again, or nothing more is to come. */
import { hostnameOf } from "../agent/node-record.ts";
import type { DataFolder } from "../data-folder.ts";
import { ports } from "../engines/hadoop/ports.ts";
import { findCluster } from "../store/clusters.ts";
import { eventsOf } from "../store/events.ts";
import { groupsOf, groupState, illness, type InstanceRow, instancesOf } from "../store/instances.ts";
import type { Db } from "../store/store.ts";
import { setTimeout as sleep } from "node:timers/promises";
import { type ClusterNode, withStore } from "./find.ts";
import type { DrillReport, Fault } from "./drill.ts";

export interface Scene {
  clusterId: string;
  /** Its address. */
  master: string;
  node: ClusterNode;
  /** core1, … */
  place: string;
  nodes: ClusterNode[];
}

export interface Happening {
  /** Since the fault. */
  seconds: number;
  what: string;
}

const lookMs = 250;
/** Until then nobody need have noticed. */
const settleMs = 3_000;
/** After so long it is said that something did not come. */
const patienceMs = 15 * 60_000;

interface Look {
  instances: InstanceRow[];
  instance: InstanceRow;
  isOver: boolean;
  group: string;
  /** What YARN and HDFS say of the node, and how many they have; undefined where they do not answer. */
  yarn: { state: string; active: number; failed: number | undefined } | undefined;
  hdfs: { state: string; live: number; short: number; missing: number } | undefined;
}

export type Outside = Pick<Look, "yarn" | "hdfs">;

/** What YARN and HDFS say now. */
export const outsideOf = async ({ master, node }: Scene): Promise<Outside> => ({
  yarn: await yarnOf(master, node.address),
  hdfs: await hdfsOf(master, node.address),
});

/** `first`: before the fault, which was `at` epoch milliseconds. */
export async function followDrill(
  data: DataFolder,
  scene: Scene,
  first: Outside,
  at: number,
  fault: Fault,
  say: (happening: Happening) => void,
): Promise<Pick<DrillReport, "seconds" | "outcome" | "happenings" | "failedApplications">> {
  const happenings: Happening[] = [];
  const seconds: DrillReport["seconds"] = { noticed: null, drained: null, fenced: null, replaced: null, yarn: null, hdfs: null };
  const { clusterId, node } = scene;
  const tell = (what: string, time = Date.now()) => {
    const one = { seconds: Math.max(0, (time - at) / 1000), what };
    happenings.push(one);
    say(one);
    return one.seconds;
  };
  return withStore(data, async ({ db }) => {
    let last = (await eventsOf(db, clusterId)).filter((event) => event.at < at).at(-1)?.id ?? 0;
    let before: Look | undefined;
    const failed = () => {
      const [was, is] = [first.yarn?.failed, before?.yarn?.failed];
      return was === undefined || is === undefined ? null : is - was;
    };
    for (;;) {
      for (const event of (await eventsOf(db, clusterId)).filter(({ id }) => id > last)) {
        last = event.id;
        const when = tell(event.message, event.at);
        if (event.message.startsWith(`${node.id} `)) seconds.noticed ??= when;
      }
      const now = await look(db, scene);
      const change = (what: string, was: unknown, is: unknown) => was !== is && is !== undefined && tell(`${what}: ${String(is)}`);
      change("YARN's word for the node", before?.yarn?.state ?? first.yarn?.state, now.yarn?.state);
      change("HDFS's word for the node", before?.hdfs?.state ?? first.hdfs?.state, now.hdfs?.state);
      change("the group", before?.group ?? "RUNNING", now.group);
      change("blocks of HDFS without a copy", before?.hdfs?.missing ?? first.hdfs?.missing ?? 0, now.hdfs?.missing);
      const { instance } = now;
      const isDrained = now.instances[0]?.observed?.decommission?.[node.id] === "DECOMMISSIONED";
      if (fault.takes && isDrained) seconds.drained ??= tell(`${node.id} is drained`);
      const daemon = instance.observed?.daemons.find(({ name }) => name === fault.daemon);
      const was = before?.instance.observed?.daemons.find(({ name }) => name === fault.daemon)?.state ?? "ready";
      if (daemon && change(daemon.name, was, daemon.state) !== false) seconds.noticed ??= happenings.at(-1)!.seconds;
      before = now;

      const passed = (Date.now() - at) / 1000;
      const isLost = instance.status === "lost" || instance.status === "terminated";
      if (instance.status === "terminated") seconds.fenced ??= ((instance.ended_at ?? Date.now()) - at) / 1000;
      const isUsed = (one: InstanceRow) => one.status === "launched" && one.observed?.phase === "ready" && illness(one) === undefined;
      const isFull = now.group === "RUNNING" && now.instances.filter(isUsed).length >= scene.nodes.length;
      if (isLost && isFull) seconds.replaced ??= passed;
      const isYarnWell = (now.yarn?.active ?? -1) >= (first.yarn?.active ?? 0);
      const hasBlocks = node.role === "CORE";
      // A node that left in order was let go when HDFS had emptied it.
      const isEmptied = instance.leaving === "copied" || (isLost && instance.leaving === "stopping");
      const isCopied = !hasBlocks || isEmptied || (!isLost && now.hdfs?.short === 0 && now.hdfs.live >= (first.hdfs?.live ?? 0));
      const isPast = isLost || passed * 1000 > fault.lasts + settleMs;
      if (isPast && isYarnWell && (!isLost || isFull)) seconds.yarn ??= passed;
      if (isPast && hasBlocks && isCopied) seconds.hdfs ??= passed;

      if (now.isOver) return { happenings, seconds, failedApplications: failed(), outcome: `${clusterId} has ended` };
      const isWell = isFull && isYarnWell && isCopied;
      const isRestarted = fault.daemon === undefined || (daemon?.state === "ready" && daemon.restarts > restartsOf(node, fault.daemon));
      const isDone = isPast && (isLost || (isUsed(instance) && !fault.takes));
      if (isWell && isRestarted && isDone)
        return { happenings, seconds, failedApplications: failed(), outcome: outcomeOf(isLost, now, failed()) };
      if (passed * 1000 > patienceMs + fault.lasts)
        return { happenings, seconds, failedApplications: failed(), outcome: `not well again after ${patienceMs / 60_000} minutes` };
      await sleep(lookMs);
    }
  });
}

const restartsOf = ({ instance }: ClusterNode, name: string) => instance.observed?.daemons.find((one) => one.name === name)?.restarts ?? 0;

function outcomeOf(isLost: boolean, { hdfs }: Look, failed: number | null): string {
  const ill = failed ? `, and ${failed} applications have failed` : "";
  const lost = hdfs?.missing ? `, and ${hdfs.missing} blocks of HDFS have no copy` : "";
  return `${isLost ? "replaced, and well again" : "well again, with the same node"}${lost}${ill}`;
}

async function look(db: Db, scene: Scene): Promise<Look> {
  const { clusterId, node } = scene;
  const [cluster, groups, all] = [await findCluster(db, clusterId), await groupsOf(db, clusterId), await instancesOf(db, clusterId)];
  const group = groups.find(({ id }) => id === node.instance.group_id)!;
  const isOver = !cluster || cluster.phase === "ended";
  return {
    instances: all,
    instance: all.find(({ id }) => id === node.id)!,
    isOver,
    group: groupState(
      cluster!,
      group,
      all.filter((one) => one.group_id === group.id),
    ),
    ...(isOver ? { yarn: undefined, hdfs: undefined } : await outsideOf(scene)),
  };
}

async function ask<T>(url: string): Promise<T | undefined> {
  try {
    const response = await fetch(url, { headers: { accept: "application/json" }, signal: AbortSignal.timeout(2_000) });
    return response.ok ? ((await response.json()) as T) : undefined;
  } catch {
    return undefined; // It does not run now.
  }
}

async function yarnOf(master: string, address: string): Promise<Look["yarn"]> {
  type Nodes = { nodes: { node?: { id: string; state: string }[] } | null };
  const answer = await ask<Nodes>(`http://${master}:${ports.resourceManagerWeb}/ws/v1/cluster/nodes`);
  if (!answer) return undefined;
  const nodes = answer.nodes?.node ?? [];
  const own = nodes.find(({ id }) => [address, hostnameOf(address)].includes(id.replace(/[.:].*/, "")) || id.startsWith(`${address}:`));
  const metrics = await ask<{ clusterMetrics: { appsFailed: number; appsKilled: number } }>(
    `http://${master}:${ports.resourceManagerWeb}/ws/v1/cluster/metrics`,
  );
  const failed = metrics && metrics.clusterMetrics.appsFailed + metrics.clusterMetrics.appsKilled;
  return { state: own?.state ?? "not there", active: nodes.filter(({ state }) => state === "RUNNING").length, failed };
}

async function hdfsOf(master: string, address: string): Promise<Look["hdfs"]> {
  type Bean = { LiveNodes: string; UnderReplicatedBlocks: number; MissingBlocks: number };
  const bean = async (name: string) =>
    (await ask<{ beans: Bean[] }>(`http://${master}:${ports.nameNodeWeb}/jmx?qry=Hadoop:service=NameNode,name=${name}`))?.beans[0];
  const [info, blocks] = [await bean("NameNodeInfo"), await bean("FSNamesystem")];
  if (!info || !blocks) return undefined;
  const live = Object.values(JSON.parse(info.LiveNodes) as Record<string, { xferaddr?: string; lastContact?: number }>);
  const isLive = live.some(({ xferaddr = "" }) => xferaddr.replace(/:\d+$/, "") === address);
  const missing = blocks.MissingBlocks;
  return { state: isLive ? "live" : "dead", live: live.length, short: Math.max(0, blocks.UnderReplicatedBlocks - missing), missing };
}
