/**
 * What may stand at the place of the last word: commands and options from commander's own tree; clusters, steps and nodes from the store.
 * Printed as VALUE<TAB>DESCRIPTION, one a line. It never fails and never makes anything: it runs at every press of Tab.
 */
import { existsSync } from "node:fs";
import type { Argument, Command, Option } from "commander";
import { type DataFolder, dataFolder } from "../data-folder.ts";
import type { Db } from "../store/store.ts";

export interface Candidate {
  value: string;
  description: string;
}

export async function complete(program: Command, words: string[]): Promise<void> {
  const found = await candidates(program, words).catch(() => []);
  for (const { value, description } of found) console.log(`${value}\t${description}`);
}

/** `words`: what stands after `howdah`; the last one is being written and may be empty. */
export async function candidates(program: Command, words: string[]): Promise<Candidate[]> {
  const current = words.at(-1) ?? "";
  const fitting = (all: Candidate[]) => all.filter(({ value }) => value.startsWith(current));
  const command = program.commands.find((one) => one.name() === words[0]);
  if (words.length < 2) {
    const commands = program.createHelp().visibleCommands(program);
    return fitting(commands.map((one) => ({ value: one.name(), description: one.description() })));
  }
  const before = words.slice(1, -1);
  if (!command || before.includes("--")) return [];
  const { open, values, positions } = read(command, before);
  const cluster = positions[command.registeredArguments.findIndex((one) => one.name() === "cluster")];
  if (open) return fitting(await valuesOf(open, values, cluster));
  if (current.startsWith("-")) {
    const options = command.options.filter(({ long, hidden }) => long && !hidden && !before.includes(long));
    return fitting(options.map(({ long, description }) => ({ value: long!, description })));
  }
  const argument = command.name() === "help" ? undefined : command.registeredArguments[positions.length];
  return argument ? fitting(await valuesOf(argument, values, cluster)) : [];
}

/** The option whose value is to come, values of options, and the other words. */
function read(command: Command, words: string[]) {
  const values: Record<string, string> = {};
  const positions: string[] = [];
  let open: Option | undefined;
  for (const word of words) {
    if (open) {
      values[open.attributeName()] = word;
      open = undefined;
    } else if (word.startsWith("-")) {
      const option = command.options.find(({ long, short }) => [long, short].includes(word));
      if (option?.required) open = option;
    } else positions.push(word);
  }
  return { open, values, positions };
}

async function valuesOf(what: Argument | Option, values: Record<string, string>, cluster: string | undefined): Promise<Candidate[]> {
  if (what.argChoices) return what.argChoices.map((value) => ({ value, description: "" }));
  const name = "attributeName" in what ? what.attributeName() : what.name();
  const look = dynamic[name];
  const data = dataFolder(values.data);
  if (!look || !existsSync(data.database)) return [];
  const { withStore } = await import("./find.ts");
  return withStore(data, ({ db }) => look(db, data, cluster ?? ""));
}

/** By the name of the argument or option. */
const dynamic: Record<string, (db: Db, data: DataFolder, cluster: string) => Promise<Candidate[]>> = {
  async cluster(db) {
    const { everyCluster } = await import("../store/cluster-lists.ts");
    const clusters = await everyCluster(db);
    return clusters.map(({ id, spec, phase }) => ({ value: id, description: `${spec.name}, ${phase}` }));
  },

  async account(db) {
    const { listAccounts } = await import("../store/accounts.ts");
    return (await listAccounts(db)).map(({ id, name }) => ({ value: id, description: name }));
  },

  async step(db, _data, cluster) {
    const [{ chooseCluster }, { stepsOf, stepState }] = [await import("./find.ts"), await import("../store/steps.ts")];
    const steps = await stepsOf(db, (await chooseCluster(db, cluster)).id);
    return steps.map((step) => ({ value: step.id, description: `${step.spec.name}, ${stepState(step)}` }));
  },

  async node(db, _data, cluster) {
    const { chooseCluster, nodesOf, placeOf } = await import("./find.ts");
    const nodes = await nodesOf(db, (await chooseCluster(db, cluster)).id);
    return nodes.map((node) => ({ value: placeOf(nodes, node), description: `${node.id} ${node.address}` }));
  },

  daemon: (db, data, cluster) => written(db, data, cluster, "daemon"),
  application: (db, data, cluster) => written(db, data, cluster, "application"),
  bootstrapAction: (db, data, cluster) => written(db, data, cluster, "bootstrap-action"),
};

/** What has logs. */
async function written(db: Db, data: DataFolder, cluster: string, kind: string): Promise<Candidate[]> {
  const [{ chooseCluster, nodesOf }, { logFiles }] = [await import("./find.ts"), await import("./log-files.ts")];
  const { nodeLayout } = await import("../agent/layout.ts");
  const nodes = await nodesOf(db, (await chooseCluster(db, cluster)).id);
  const names = nodes.flatMap(({ id }) => logFiles(nodeLayout(data.node(id)))).filter((file) => file.kind === kind);
  return [...new Set(names.map(({ of }) => of))].map((value) => ({ value, description: "" }));
}
