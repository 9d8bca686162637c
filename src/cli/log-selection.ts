/** What is wanted of a cluster's logs: those of a step, a daemon, an application, a bootstrap action; or of all steps from now on. */
import { type ClusterRow, findCluster } from "../store/clusters.ts";
import { activeStates, stepState, stepsOf } from "../store/steps.ts";
import type { Db } from "../store/store.ts";
import { type ClusterNode, choose, chooseStep } from "./find.ts";
import type { LogFile } from "./log-files.ts";

export interface NodeLog extends LogFile {
  node: ClusterNode;
  /** master, core1, task2, … */
  place: string;
}

export interface Selection {
  fits(file: NodeLog): boolean;
  /** What tells its lines from those of others, when several are followed. */
  label(file: NodeLog): string;
  /** Resolves to true once no more will be written. */
  isOver(): Promise<boolean>;
  /** Said where nothing was written. */
  nothing: string;
  /** Of one step: its id. */
  step?: string;
  /** How many of the last lines, where the user does not say; undefined: all. */
  lines?: number;
}

export interface Wanted {
  step?: string | undefined;
  daemon?: string | undefined;
  application?: string | undefined;
  bootstrapAction?: string | undefined;
  follow?: boolean | undefined;
}

/** `files`: those that there are now. undefined: nothing in particular is wanted. Throws where what is wanted is not there. */
export async function select(db: Db, cluster: ClusterRow, wanted: Wanted, files: NodeLog[]): Promise<Selection | undefined> {
  const { step, daemon, application, bootstrapAction, follow } = wanted;
  if ([step, daemon, application, bootstrapAction].filter((one) => one !== undefined).length > 1)
    throw new Error("say one of STEP, --daemon, --application and --bootstrap-action");
  const phase = async () => (await findCluster(db, cluster.id))?.phase ?? "ended";
  const isOver = async () => (await phase()) === "ended";
  const named = (kind: LogFile["kind"], name: string) => (file: LogFile) => file.kind === kind && file.of === name;
  if (step !== undefined) {
    const { id, spec, ...row } = chooseStep(await stepsOf(db, cluster.id), step);
    return {
      step: id,
      fits: named("step", id),
      label: ({ name }) => stepLabel(name),
      isOver: async () => !(await stepsOf(db, cluster.id)).some((one) => one.id === id && activeStates.includes(one.state)),
      nothing: `step ${id} (${spec.name}) is ${stepState({ id, spec, ...row })} and has written nothing`,
    };
  }
  if (daemon !== undefined) {
    const name = daemonNamed(namesOf(files, "daemon"), daemon);
    const label = (file: NodeLog) => `${file.place} ${file.name}`;
    return { fits: named("daemon", name), label, isOver, nothing: `${name} has written nothing`, ...(follow ? { lines: 10 } : {}) };
  }
  if (application !== undefined) {
    const id = chooseApplication(namesOf(files, "application"), application, cluster.id);
    return { fits: named("application", id), label: ({ name }) => name, isOver, nothing: `${id} has written nothing` };
  }
  if (bootstrapAction !== undefined)
    return {
      fits: named("bootstrap-action", bootstrapAction),
      label: ({ place, name }) => `${place} ${name.padEnd("stdout".length)}`,
      isOver: async () => ["ready", "ending", "ended"].includes(await phase()),
      nothing: `bootstrap action ${bootstrapAction} has written nothing: howdah logs ${cluster.id} lists what there is`,
    };
  if (!follow) return undefined;
  const ended = new Set((await stepsOf(db, cluster.id)).filter(({ state }) => !activeStates.includes(state)).map(({ id }) => id));
  return {
    fits: ({ kind, of }) => kind === "step" && !ended.has(of),
    label: ({ of, name }) => `${of} ${stepLabel(name)}`,
    isOver,
    nothing: `no step of ${cluster.id} runs and has written anything`,
  };
}

const stepLabel = (name: string): string => name.padEnd("controller".length);

const namesOf = (files: LogFile[], kind: LogFile["kind"]): string[] =>
  [...new Set(files.filter((file) => file.kind === kind).map(({ of }) => of))].toSorted();

/** `text`: a daemon's whole name, or a part that only one has: namenode, resourcemanager. */
export function daemonNamed(names: string[], text: string): string {
  const ways = [(name: string) => name === text, (name: string) => name.endsWith(`-${text}`), (name: string) => name.includes(text)];
  const fitting = ways.map((fits) => names.filter(fits)).find((found) => found.length > 0);
  if (fitting?.length === 1) return fitting[0]!;
  const why = fitting ? `${text} is the name of several daemons` : `no daemon ${text} has written logs`;
  throw new Error(`${why}. There are: ${(fitting ?? names).join(", ")}`);
}

function chooseApplication(names: string[], text: string, clusterId: string): string {
  const advice = `YARN keeps containers' logs in HDFS once an application has ended: howdah ssh ${clusterId} -- yarn logs -applicationId ${text}`;
  const newestFirst = names.toReversed().map((id) => ({ id }));
  return choose(text, newestFirst, { prefix: "application_", noun: "application", label: ({ id }) => id, advice, none: advice }).id;
}
