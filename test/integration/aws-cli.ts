/** The aws CLI for tests: its own code, loaded once for each test process (aws_cli.py), for a command of its own takes half a second of a core to begin. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import type { Installation } from "../../src/engines/installation.ts";

interface Answer {
  status: number;
  out: string;
  err: string;
}

/** Of this process, and of the abstract namespace: nothing is left of it. */
const socket = `\0howdah-aws-cli-${process.pid}`;
let starting: Promise<void> | undefined;

async function start({ toolsBin }: Installation): Promise<void> {
  const program = join(import.meta.dirname, "aws_cli.py");
  const child: ChildProcess = spawn(join(toolsBin, "python3"), [program, socket.slice(1)], { stdio: ["pipe", "pipe", "inherit"] });
  await Promise.race([once(child.stdout!, "data"), once(child, "exit").then(() => Promise.reject(new Error("aws_cli.py has ended")))]);
  child.stdout!.destroy();
  child.unref();
}

/** What it prints. Throws with what it says where it fails. */
export async function awsCli(installation: Installation, env: Record<string, string>, args: readonly string[]): Promise<string> {
  await (starting ??= start(installation));
  const connection = connect(socket);
  connection.write(`${JSON.stringify({ args, env })}\n`);
  const { status, out, err } = JSON.parse(await text(connection)) as Answer;
  if (status !== 0) throw new Error(`aws ${args.join(" ")}: ${status}\n${err}`);
  return out;
}
