/** What people type, and what they mean by it: clusters, steps and nodes by a part of their id, or by their place. */
import { existsSync } from "node:fs";
import type { NodeRole } from "../agent/manifest.ts";
import { hostnameOf } from "../agent/node-record.ts";
import type { DataFolder } from "../data-folder.ts";
import { everyCluster } from "../store/cluster-lists.ts";
import type { ClusterRow } from "../store/clusters.ts";
import { type InstanceRow, groupsOf, instancesOf } from "../store/instances.ts";
import type { StepRow } from "../store/steps.ts";
import { type Db, openStore, type Store } from "../store/store.ts";

/** Opens the store for `work` and closes it again. Throws where Howdah has never run. */
export async function withStore<T>(data: DataFolder, work: (store: Store) => Promise<T>): Promise<T> {
  if (!existsSync(data.database)) throw new Error(`Howdah has never run in ${data.root}. Run: howdah up --detach`);
  const store = await openStore(data.database, { forward: "never" });
  return work(store).finally(() => store.close());
}

/** `text`: a cluster's id, the beginning of one (with or without j-, in any case), or `last`. Throws with what is nearest. */
export async function chooseCluster(db: Db, text: string): Promise<ClusterRow> {
  return choose(text, await everyCluster(db), {
    prefix: "j-",
    noun: "cluster",
    label: ({ id, spec }) => `${id} (${spec.name})`,
    advice: "howdah status --all lists them",
  });
}

/** The same for a step: `steps` in the order of submission. */
export function chooseStep(steps: StepRow[], text: string): StepRow {
  return choose(text, steps.toReversed(), {
    prefix: "s-",
    noun: "step",
    label: ({ id, spec }) => `${id} (${spec.name})`,
    advice: "howdah logs CLUSTER lists them",
  });
}

interface Kind<T> {
  prefix: string;
  noun: string;
  label(item: T): string;
  /** What to do next, where what was typed fits nothing; and where there is nothing at all. */
  advice: string;
  none?: string;
}

/** `items` newest first. */
export function choose<T extends { id: string }>(text: string, items: T[], kind: Kind<T>): T {
  const [newest] = items;
  if (text === "last" && newest) return newest;
  const exact = items.find(({ id }) => id === text);
  if (exact) return exact;
  const bare = (id: string) => (id.toUpperCase().startsWith(kind.prefix.toUpperCase()) ? id.slice(kind.prefix.length) : id).toUpperCase();
  const fitting = bare(text) === "" ? [] : items.filter(({ id }) => bare(id).startsWith(bare(text)));
  if (fitting.length === 1) return fitting[0]!;
  if (fitting.length > 1) throw new Error(`${text} is the beginning of several ${kind.noun}s: ${fitting.map(kind.label).join(", ")}`);
  const near = items
    .map((item) => ({ item, distance: distance(bare(item.id), bare(text)) }))
    .filter((one) => one.distance <= Math.max(2, bare(text).length / 2))
    .toSorted((a, b) => a.distance - b.distance);
  const known = items.length === 0 ? (kind.none ?? "There is none yet") : kind.advice;
  const meant =
    near.length > 0
      ? `. Did you mean ${near
          .slice(0, 3)
          .map(({ item }) => kind.label(item))
          .join(" or ")}?`
      : "";
  throw new Error(`there is no ${kind.noun} ${text}${meant || "."} ${known}`);
}

/** Levenshtein's: how many characters must be put in, taken away or changed. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) next.push(Math.min(next[j - 1]! + 1, row[j]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)));
    row = next;
  }
  return row[b.length]!;
}

export interface ClusterNode {
  /** i-… and ci-… */
  id: string;
  clusterInstanceId: string;
  role: NodeRole;
  address: string;
  hostname: string;
  instance: InstanceRow;
}

/** The master first, then the others as they came; those that have ended last, so that `core1` is one that is there. */
export async function nodesOf(db: Db, clusterId: string): Promise<ClusterNode[]> {
  const groups = new Map((await groupsOf(db, clusterId)).map(({ id, role }) => [id, role]));
  const isOver = ({ status }: InstanceRow) => Number(status === "terminated");
  return (await instancesOf(db, clusterId))
    .toSorted((a, b) => isOver(a) - isOver(b))
    .map((instance) => ({
      id: instance.id,
      clusterInstanceId: instance.cluster_instance_id,
      role: groups.get(instance.group_id) ?? "MASTER",
      address: instance.address,
      hostname: hostnameOf(instance.address),
      instance,
    }));
}

/** master, core1, task2, …: what chooseNode understands. */
export function placeOf(nodes: ClusterNode[], { id, role }: ClusterNode): string {
  const same = nodes.filter((node) => node.role === role);
  return `${role.toLowerCase()}${role === "MASTER" ? "" : same.findIndex((node) => node.id === id) + 1}`;
}

/** `text`: i-…, ci-…, an address, a host name, or `master`, `core`, `core2`, `task`, …: the place in its role, from 1. */
export function chooseNode(nodes: ClusterNode[], text: string): ClusterNode {
  const host = text.toLowerCase().split(".")[0];
  const named = nodes.find(
    ({ id, clusterInstanceId, address, hostname }) => [id, clusterInstanceId, address].includes(text) || hostname === host,
  );
  if (named) return named;
  const place = /^(master|core|task)-?(\d*)$/i.exec(text);
  const found = place && nodes.filter(({ role }) => role === place[1]!.toUpperCase())[Number(place[2] || 1) - 1];
  if (found) return found;
  throw new Error(
    `there is no node ${text}. There are: ${nodes.map((node) => `${placeOf(nodes, node)} ${node.id} ${node.address}`).join(", ")}`,
  );
}
