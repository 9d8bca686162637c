/** The status of clusters for people: short, what matters first. */
import type { CatalogState } from "../glue/look.ts";
import type { DescribedCluster } from "./describe.ts";
import { age, columns, link, paint, plural } from "./terminal.ts";

const mostSteps = 12;

/** `hidden`: how many ended clusters are not among `clusters`. */
export function listText(
  root: string,
  up: { endpoint: string; pid: number } | null,
  catalogs: readonly CatalogState[],
  clusters: DescribedCluster[],
  hidden: number,
  now = Date.now(),
): string {
  const head = up
    ? `Howdah is ${paint("green", "up")} at ${link(up.endpoint)} (process ${up.pid}), data in ${root}`
    : `Howdah is ${paint("yellow", "not running")}. Data in ${root}. Run: howdah up --detach`;
  const rows = clusters.map((cluster) => [
    cluster.id,
    paintState(cluster.state),
    since(cluster.endedAt ?? cluster.createdAt, now) + (cluster.endedAt ? " ago" : ""),
    plural(present(cluster).length, "node"),
    cluster.name +
      (cluster.warnings.length > 0 && !cluster.endedAt ? `  ${paint("yellow", plural(cluster.warnings.length, "warning"))}` : ""),
  ]);
  const more = hidden > 0 ? [paint("dim", `${plural(hidden, "ended cluster")}: howdah status --all`)] : [];
  return [head, ...catalogs.map(catalogText), ...columns(rows), ...more].join("\n");
}

/** `howdah doctor` says it, too. */
export const catalogText = ({ accountId, pid, answers }: CatalogState): string =>
  `The Glue catalog of account ${accountId}: its metastore ${
    pid === null ? "does not run; the first who asks starts it" : `${answers ? "answers" : "does not answer"} (process ${pid})`
  }`;

type Answering = Omit<DescribedCluster, "userInterfaces"> & { userInterfaces: { name: string; url: string; answers: boolean }[] };

export function clusterText(cluster: Answering, now = Date.now()): string {
  const { id, name, state, reason, groups, steps, warnings } = cluster;
  const lines = [
    `${paint("bold", id)}  ${name}  ${paintState(state)}  ${reason}`.trimEnd(),
    `  ${[cluster.releaseLabel, ...cluster.applications].join(", ")}; ${times(cluster, now)}`,
  ];
  if (warnings.length > 0) lines.push(paint(["bold", "yellow"], "Warnings"), ...warnings.map((text) => paint("yellow", `  ${text}`)));
  if (cluster.userInterfaces.length > 0)
    lines.push(
      paint("bold", "Pages"),
      ...columns(
        cluster.userInterfaces.map((page) => [
          page.name,
          link(page.url),
          page.answers ? paint("green", "answers") : paint("dim", "no answer"),
        ]),
        "  ",
      ),
    );
  const changing = ["RUNNING", "WAITING"].includes(state) ? groups.filter((group) => group.state !== "RUNNING") : [];
  if (changing.length > 0)
    lines.push(
      paint("bold", "Groups"),
      ...columns(
        changing.map((group) => [
          group.role.toLowerCase(),
          group.id,
          paintState(group.state),
          `${group.running} ${group.isFleet ? "units " : ""}running, ${group.requested} asked for`,
        ]),
        "  ",
      ),
    );
  lines.push(
    paint("bold", "Nodes"),
    ...columns(
      present(cluster).map((node) => [
        node.role.toLowerCase(),
        node.id,
        node.address,
        paintState(node.state),
        cluster.endedAt ? "" : node.unhealthy ? paint("red", `unhealthy: ${node.unhealthy}`) : daemonsText(node.daemons),
      ]),
      "  ",
    ),
  );
  if (steps.length > 0) {
    const shown = steps.slice(-mostSteps);
    lines.push(paint("bold", "Steps") + (shown.length < steps.length ? `  the last ${shown.length} of ${steps.length}` : ""));
    const rows = columns(
      shown.map((step) => [step.id, paintState(step.state), duration(step, now), step.name]),
      "  ",
    );
    for (const [i, { failure }] of shown.entries()) {
      lines.push(rows[i]!);
      if (failure) lines.push(paint("red", `    ${[failure.Reason, failure.Message, failure.LogFile].filter(Boolean).join(" ")}`));
    }
  }
  const more = [`howdah events ${id}`];
  if (cluster.provider === "local") more.unshift(`howdah logs ${id}`);
  if (cluster.provider === "local" && !cluster.endedAt) more.push(`howdah ssh ${id}`);
  lines.push(paint("dim", more.join(" · ")));
  return lines.join("\n");
}

/** Of a cluster that goes on, those that it has; of one that has ended, all that it has had. */
const present = ({ endedAt, instances }: DescribedCluster | Answering) =>
  endedAt ? instances : instances.filter((node) => node.state !== "TERMINATED");

const since = (iso: string | null, now: number): string => (iso === null ? "" : age(now - Date.parse(iso)));

function times({ createdAt, readyAt, endedAt }: Answering, now: number): string {
  const ready = readyAt && createdAt ? `, ready after ${age(Date.parse(readyAt) - Date.parse(createdAt))}` : "";
  return `created ${since(createdAt, now)} ago${ready}${endedAt ? `, ended ${since(endedAt, now)} ago` : ""}`;
}

function duration({ startedAt, endedAt }: { startedAt: string | null; endedAt: string | null }, now: number): string {
  if (startedAt === null) return "";
  return age((endedAt === null ? now : Date.parse(endedAt)) - Date.parse(startedAt));
}

function daemonsText(daemons: DescribedCluster["instances"][number]["daemons"]): string {
  const others = daemons.filter(({ state }) => state !== "ready");
  if (others.length === 0) return daemons.length > 0 ? `${plural(daemons.length, "daemon")} ready` : "";
  return `${daemons.length - others.length} of ${daemons.length} daemons ready; ${others.map(({ name, state }) => `${name} ${state}`).join(", ")}`;
}

/** States of steps, clusters and instances, painted as what they mean. */
export function paintState(state: string): string {
  if (/FAILED|ERRORS|INTERRUPTED|SUSPENDED/.test(state)) return paint("red", state);
  if (/RUNNING|WAITING|COMPLETED/.test(state)) return paint("green", state);
  if (/TERMINATED|CANCELLED/.test(state)) return paint("dim", state);
  return paint("yellow", state);
}
