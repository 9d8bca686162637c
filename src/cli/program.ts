/** The commands and options of `howdah`. A command's file is imported only when it is the one: the control plane takes a while to load. */
import { readFileSync } from "node:fs";
import { Argument, Command, InvalidArgumentError, Option } from "commander";
import { complete } from "./complete.ts";
import { shells } from "./completion.ts";

const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as { version: string };

/** `afterDashes`: what follows -- is for the command that ssh runs, and nothing of it for us. */
export function howdahProgram(afterDashes: string[]): Command {
  const program = new Command("howdah")
    .description("Elastic MapReduce that you own: the Amazon EMR API over real Apache Hadoop and Spark.")
    .version(version)
    .showHelpAfterError("(howdah help COMMAND tells more)");
  // Not for ssh: to look at process.stdout makes a pipe non-blocking, also for the command that inherits it.
  program.hook("preAction", (_program, action) => {
    if (action.name() !== "ssh") process.stdout.on("error", endWithoutReader);
  });
  /** A command that works on a data folder. */
  const command = (name: string, description: string) =>
    program
      .command(name)
      .description(description)
      .option("--data <folder>", "data folder (default: $HOWDAH_DATA, else ~/.local/state/howdah)");
  const cluster = "cluster id, the beginning of one, or last";
  const node = "instance id, address, host name, or master, core1, task2, …";

  command("up", "start Howdah: EMR API, S3 and the clusters that were there")
    .option("--port <port>", "port of 127.0.0.1 to listen on (default: the same as last time, at first a free one)", port)
    .addOption(
      new Option("--isolation <degree>", "how nodes are kept apart (default: the best this host allows)").choices(["view", "plain"]),
    )
    .addOption(
      new Option("--provider <name>", "what makes the nodes (default: local); simulated ones are for unit tests").choices([
        "local",
        "simulated",
      ]),
    )
    .addOption(new Option("--pace <pace>", "of simulated nodes (default: instant); real takes EMR's minutes").choices(["instant", "real"]))
    .option("--rules <file>", "how steps go on simulated nodes, by their names (docs/unit-tests.md)")
    .option("-d, --detach", "run in the background")
    .action(async (options) => (await import("./up.ts")).up(options));
  command("down", "end everything: clusters, S3, control plane")
    .option("--keep", "keep the clusters' disks: the next `howdah up` starts their nodes and daemons again")
    .action(async (options) => (await import("./down.ts")).down(options));
  command("status", "what runs; with a cluster, all of it: pages, nodes, steps, warnings")
    .argument("[cluster]", cluster)
    .option("-a, --all", "ended clusters, too")
    .option("-w, --watch", "again and again")
    .option("--json", "for programs")
    .action(async (name, options) => (await import("./status.ts")).status(name, options));
  command("events", "what happened to a cluster")
    .argument("<cluster>", cluster)
    .option("-f, --follow", "go on until the cluster has ended")
    .option("--state-changes", "EMR's events as EventBridge carries them, one a line")
    .option("--json", "for programs")
    .action(async (name, options) => (await import("./events.ts")).events(name, options));
  command("logs", "logs of Howdah itself; which logs a cluster has; or logs of a step, daemon, bootstrap action or application")
    .argument("[cluster]", cluster)
    .argument("[step]", "step id, the beginning of one, or last")
    .option("-f, --follow", "go on as they grow: of a step until its end, of a cluster all its steps")
    .option("--daemon <name>", "of a daemon: namenode, hadoop-yarn-resourcemanager, howdah-agent, …")
    .option("--application <id>", "of a YARN application's containers")
    .option("--bootstrap-action <n>", "of the n-th bootstrap action")
    .option("--node <node>", `only those on one node: ${node}`)
    .option("-n, --lines <n>", "only the last n lines of each", count)
    .option("--json", "the list for programs")
    .action(async (name, step, options) => (await import("./logs.ts")).logs(name, step, options));
  command("history", "pages of Spark's and MapReduce's history; for a cluster that has ended until Ctrl-C")
    .argument("<cluster>", cluster)
    .option("--json", "for programs")
    .action(async (name, options) => (await import("./history.ts")).history(name, options));
  command("ssh", "a shell on a node, or one command: howdah ssh j-… core1 -- df -h")
    .argument("<cluster>", cluster)
    .argument("[node]", `${node} (default: master)`)
    .usage("[options] <cluster> [node] [-- command…]")
    .action(async (name, which, options) => (await import("./ssh.ts")).ssh(name, which, options, afterDashes));
  command("env", 'exports for AWS clients: eval "$(npx howdah env)"')
    .option("--json", "for programs")
    .option("--account <account>", "of another account than the first: its id or name")
    .option("--root", "for an hour, as the account's root: to undo what shuts its administrators out")
    .action(async (options) => (await import("./env.ts")).env(options));
  command("accounts", "the accounts here: list them, or create one more")
    .addArgument(new Argument("[action]", "what to do").choices(["list", "create"]).default("list"))
    .argument("[name]", "of the account to create")
    .option("--json", "for programs")
    .action(async (action, name, options) => (await import("./accounts.ts")).accounts(action, name, options));
  command("backup", "a copy of the data folder, made while Howdah runs; the nodes' disks are not in it")
    .argument("<folder>", "the copy: a folder that is not there yet")
    .option("--no-s3", "without what the embedded S3 server holds")
    .action(async (folder, options) => (await import("./backup.ts")).backup(folder, options));
  command("drill", "rehearses a failure of a real node, and tells what the cluster makes of it: docs/drills.md")
    .addArgument(
      new Argument("<what>", "what goes wrong").choices(["kill-node", "kill-daemon", "freeze-node", "slow-node", "spot", "disk-full"]),
    )
    .argument("<cluster>", cluster)
    .argument("[node]", `${node} (default: the last core node; of spot the last spot node)`)
    .option("--daemon <name>", "of kill-daemon: namenode, hadoop-yarn-nodemanager, …")
    .option("--seconds <n>", "how long freeze-node, slow-node and disk-full last (default: 30)", count)
    .option("--anyway", "though the cluster would end")
    .option("--json", "the report, for programs")
    .action(async (what, name, which, options) => (await import("./drill.ts")).drill(what, name, which, options));
  command("fault", "what is to go wrong on simulated nodes: docs/unit-tests.md")
    .addArgument(
      new Argument("<what>", "what goes wrong; list and clear: what waits").choices([
        "instance-dies",
        "disk-full",
        "disk-read-only",
        "disk-well",
        "spot-interruption",
        "launch-fails",
        "step-exits",
        "step-hangs",
        "list",
        "clear",
      ]),
    )
    .argument("[words...]", "CLUSTER NODE of instance-dies, disk-… and spot-interruption; a step's NAME, where * stands for anything")
    .option("--exit-code <n>", "of step-exits (default: 1)", count)
    .option("--message <text>", "what is said of it, by step-exits and launch-fails")
    .option("--json", "of list: for programs")
    .action(async (what, words, options) => (await import("./fault.ts")).fault(what, words, options));
  command("doctor", "what this machine has, and what is missing")
    .option("--fix", "put right what can be put right without risk; asks before it ends anything")
    .option("--json", "for programs")
    .action(async (options) => (await import("./doctor.ts")).doctor(options));
  program
    .command("engines")
    .description("the engines on this machine: list them, or install them from the lock")
    .addArgument(new Argument("[action]", "what to do").choices(["list", "install"]).default("list"))
    .argument("[names...]", "besides Hadoop and Spark: ZooKeeper, …")
    .option("--release <label>", "of this release only")
    .option("--json", "for programs")
    .action(async (action, names, options) => (await import("./engines.ts")).engines(action, names, options));
  program
    .command("completion")
    .description('completion for your shell: eval "$(npx howdah completion bash)"')
    .addArgument(new Argument("<shell>", "which shell").choices(Object.keys(shells)))
    .action((shell: keyof typeof shells) => console.log(shells[shell]()));
  program.command("__complete", { hidden: true }).action(() => complete(program, afterDashes));
  return program;
}

/** `args` without the program's name. */
export async function parseCommand(args: string[]): Promise<void> {
  const dashes = args.indexOf("--");
  const [own, rest] = dashes < 0 ? [args, []] : [args.slice(0, dashes), args.slice(dashes + 1)];
  await howdahProgram(rest).parseAsync(own, { from: "user" });
}

/** Who reads our output may have had enough of it: `howdah logs j-… | head`. */
function endWithoutReader(error: NodeJS.ErrnoException): void {
  if (error.code === "EPIPE") process.exit(0);
  throw error;
}

function port(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0 || value > 65535) throw new InvalidArgumentError("a port is a whole number from 0 to 65535.");
  return value;
}

function count(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError("how many lines is a whole number.");
  return Number(text);
}
