/** The two servers, each in a process of its own on loopback, and a third that does nothing, for the generator's own limit. */
import { type ChildProcess, fork, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Credentials } from "../../src/aws/sigv4.ts";
import { lockedVenv } from "../../test/clients/venv.ts";

/** What a server that is ours tells its parent, once. */
export interface Started {
  port: number;
  accessKeyId: string;
  secretAccessKey: string;
}

export interface Server {
  port: number;
  pid: number;
  credentials: Credentials;
  stop(): Promise<void>;
}

const requirements = join(import.meta.dirname, "requirements.txt");
const quiet = ["--disable-warning=ExperimentalWarning"];

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  if (child.connected) child.disconnect();
  else child.kill();
  await ended;
}

async function startNode(program: string, args: string[] = [], flags: string[] = []): Promise<Server> {
  const child = fork(join(import.meta.dirname, program), args, { execArgv: [...quiet, ...flags], stdio: ["ignore", 2, 2, "ipc"] });
  const [{ port, ...credentials }] = (await once(child, "message")) as [Started];
  return { port, pid: child.pid!, credentials, stop: () => end(child) };
}

/** `folder`: of its data. HOWDAH_BENCH_NODE has more flags for Node: --cpu-prof. */
export const startOurs = (folder: string): Promise<Server> =>
  startNode("server.ts", [folder], process.env.HOWDAH_BENCH_NODE?.split(" ") ?? []);

/** For the client's own limit. */
export const startNothing = (): Promise<Server> => startNode("nothing.ts");

/** As its documentation starts it, which is with a thread for each request. Its server closes every connection after its answer, whatever is asked of it. */
export async function startMoto(): Promise<Server & { version: string }> {
  const venv = await lockedVenv("moto", requirements, ["moto_server"]);
  if ("missing" in venv) throw new Error(venv.missing);
  const port = await freePort();
  const child = spawn(join(venv.home, "bin", "moto_server"), ["-H", "127.0.0.1", "-p", String(port)], { stdio: "ignore" });
  while (!(await answers(port))) {
    if (child.exitCode !== null) throw new Error(`moto_server ended with ${child.exitCode}`);
    await sleep(100);
  }
  const version = /^moto==(\S+)/m.exec(readFileSync(requirements, "utf8"))?.[1] ?? "";
  const credentials = { accessKeyId: "AKIAIOSFODNN7EXAMPLE", secretAccessKey: "secret" };
  return { port, pid: child.pid!, version, credentials, stop: () => end(child) };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function answers(port: number): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
