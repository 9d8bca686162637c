/** The `howdah` command. */
import { readFileSync } from "node:fs";
import { Command, InvalidArgumentError } from "commander";
import { doctor } from "./doctor.ts";
import { down } from "./down.ts";
import { engines } from "./engines.ts";
import { env } from "./env.ts";
import { logs } from "./logs.ts";
import { status } from "./status.ts";
import { up } from "./up.ts";

const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as { version: string };

const program = new Command("howdah")
  .description("Elastic MapReduce that you own: the Amazon EMR API over real Apache Hadoop and Spark.")
  .version(version)
  .showHelpAfterError();

function port(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0 || value > 65535) throw new InvalidArgumentError("a port is a whole number from 0 to 65535.");
  return value;
}

/** A command that works on a data folder. */
const command = (name: string, description: string) =>
  program
    .command(name)
    .description(description)
    .option("--data <folder>", "data folder (default: $HOWDAH_DATA, else ~/.local/state/howdah)");

command("up", "start Howdah: EMR API, S3 and the clusters that were there")
  .option("--port <port>", "port of 127.0.0.1 to listen on (default: the same as last time, at first a free one)", port)
  .option("--isolation <degree>", "how nodes are kept apart: view or plain (default: the best this host allows)")
  .option("-d, --detach", "run in the background")
  .action(up);
command("down", "end everything: clusters, S3, control plane").action(down);
command("status", "what runs; with a cluster's id, all of it")
  .argument("[cluster]", "for example j-2AXXXXXXGAPLF")
  .option("--json", "for programs")
  .action(status);
command("env", 'exports for AWS clients: eval "$(npx howdah env)"').action(env);
command("logs", "logs of Howdah itself, of a cluster, or of one step")
  .argument("[cluster]", "cluster id")
  .argument("[step]", "step id")
  .action(logs);
command("doctor", "what this machine has, and what is missing").action(doctor);
program
  .command("engines")
  .description("the engines on this machine: list, or install them from the lock")
  .argument("[action]", "list or install", "list")
  .action(engines);

try {
  await program.parseAsync();
} catch (error) {
  console.error(`howdah: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
