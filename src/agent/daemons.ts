/**
 * Keeps the manifest's daemons running. Each is a session of its own, known by RUN/daemon-NAME.json, so an agent that was started again finds
 * them as they are; one whose command has changed since is ended and started anew.
 */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { writeChanged } from "../files.ts";
import { type KnownProcess, endProcess, isAlive, spawnDetached } from "../process/known.ts";
import { type AgentContext, environment } from "./context.ts";
import type { Daemon, NodeFailure, Report } from "./manifest.ts";
import { allHold, unfitness } from "./probe.ts";
import { daemonReason } from "./text.ts";

const wrapper = join(import.meta.dirname, "daemon.sh");
const [probeMs, watchMs, reprobeMs, healthMs] = [100, 200, 3_000, 10_000];
/** One that has run for so long has come up. */
const goodMs = 60_000;
const [backoffMinMs, backoffMaxMs] = [200, 10_000];
/** A gate daemon that dies so often within a minute of each start will not come up by itself: a new node has failed, an old one is not healthy. */
const fatalDeaths = 5;
const stopGraceMs = 3_000;

type State = Report["daemons"][number];

interface Supervised {
  daemon: Daemon;
  digest: string;
  state: State;
  /** That it ended again and again, until it has run for a while. */
  ailing?: string | undefined;
  stop: AbortController;
  /** Resolves when the daemon is no longer looked after (and, after `stop`, no longer runs). */
  over: Promise<void>;
}

/** `isDone`: of a task, by its name. */
export function createDaemons(context: AgentContext, onFailure: (failure: NodeFailure) => void, isDone: (task: string) => boolean) {
  const all = new Map<string, Supervised>();
  const recordFile = (name: string) => join(context.layout.run, `daemon-${name}.json`);
  /** Made and removed by the node's own `systemctl stop` and `start`: a daemon that a user has stopped stays so, over restarts of the agent, until the node starts anew. */
  const isStopped = (name: string) => existsSync(join(context.layout.volatile, `stopped-${name}`));
  const isReady = (name: string) => all.get(name)?.state.state === "ready";
  const gatesReady = () =>
    [...all.values()].every(({ daemon, state }) => !daemon.gate || state.state === "ready" || isStopped(daemon.name));

  function set(supervised: Supervised, change: { [K in keyof State]?: State[K] | undefined }): void {
    const before = JSON.stringify(supervised.state);
    Object.assign(supervised.state, change);
    if (JSON.stringify(supervised.state) !== before) context.changed();
  }

  /** The process that runs for this daemon now, by its record; a start, where there is none or one with another command. */
  async function findOrStart({ daemon, digest }: Supervised, env: Record<string, string>): Promise<KnownProcess> {
    const record = readRecord(recordFile(daemon.name));
    if (isAlive(record)) {
      if (record?.digest === digest) return record;
      await endProcess(record, { graceMs: stopGraceMs, group: true });
    }
    mkdirSync(dirname(daemon.log), { recursive: true });
    const argv = ["/bin/sh", wrapper, recordFile(daemon.name), digest, ...daemon.argv];
    return spawnDetached(argv, { cwd: daemon.cwd ?? dirname(daemon.log), env: environment(context, env, daemon.env), log: daemon.log });
  }

  /** Until the process ends: ready as soon as its probes hold, starting again where they stop to. */
  async function watch(supervised: Supervised, known: KnownProcess): Promise<void> {
    const startedAt = performance.now();
    let [nextProbe, nextHealth] = [0, 0];
    while (isAlive(known) && !supervised.stop.signal.aborted) {
      if (performance.now() >= nextProbe) {
        const holds = await allHold(supervised.daemon.ready);
        if (isAlive(known) && !supervised.stop.signal.aborted) set(supervised, { state: holds ? "ready" : "starting" });
        nextProbe = performance.now() + (holds ? reprobeMs : probeMs);
      }
      if (performance.now() - startedAt > goodMs) supervised.ailing = undefined;
      if (isReady(supervised.daemon.name) && performance.now() >= nextHealth) {
        const { healthy } = supervised.daemon;
        // Who does not answer says nothing new.
        const unfit = healthy && (await unfitness(healthy).catch(() => supervised.state.unhealthy));
        set(supervised, { unhealthy: supervised.ailing ?? unfit });
        nextHealth = performance.now() + healthMs;
      }
      await sleep(isReady(supervised.daemon.name) ? watchMs : probeMs);
    }
  }

  async function supervise(supervised: Supervised, env: Record<string, string>): Promise<void> {
    const { daemon, stop } = supervised;
    let deaths = 0;
    let hasEnded = false;
    const isThere = (name: string) => isReady(name) || isDone(name);
    // What the node is ready without leaves the host to what it is awaited for; one that an earlier agent has started runs already.
    const isInTheWay = () => !daemon.gate && !gatesReady() && !isAlive(readRecord(recordFile(daemon.name)));
    while (!stop.signal.aborted && (isInTheWay() || !(daemon.after ?? []).every(isThere))) await sleep(probeMs / 2);
    while (!stop.signal.aborted) {
      if (isStopped(daemon.name) || hasEnded) {
        deaths = 0;
        await sleep(watchMs);
        continue;
      }
      const startedAt = performance.now();
      try {
        const known = await findOrStart(supervised, env);
        set(supervised, { state: "starting", pid: known.pid });
        await watch(supervised, known);
        if (stop.signal.aborted) await endProcess(known, { graceMs: stopGraceMs, group: true });
      } catch (error) {
        context.log(`${daemon.name}: ${(error as Error).message}`);
      }
      if (stop.signal.aborted) return;
      deaths = performance.now() - startedAt > goodMs ? 1 : deaths + 1;
      delete supervised.state.pid;
      if (isStopped(daemon.name)) {
        set(supervised, { state: "down" });
        context.log(`${daemon.name} was stopped on the node`);
        continue;
      }
      if (supervised.daemon.mayEnd) {
        set(supervised, { state: "down" });
        context.log(`${daemon.name} has ended`);
        hasEnded = true;
        continue;
      }
      set(supervised, { state: "down", restarts: supervised.state.restarts + 1 });
      context.log(`${daemon.name} ended and is started again`);
      if (daemon.gate && deaths === fatalDeaths) {
        const { message, logFile } = daemonReason(daemon.log);
        const often = `ended ${deaths} times soon after its start`;
        supervised.ailing = `it ${often}: ${message}`;
        set(supervised, { unhealthy: supervised.ailing });
        onFailure({ kind: "daemon", message: `${daemon.name} ${often}: ${message}`, logFile });
      }
      await sleep(Math.min(backoffMinMs * 2 ** (deaths - 1), backoffMaxMs), undefined, { signal: stop.signal }).catch(() => {});
    }
  }

  async function stopOne(supervised: Supervised): Promise<void> {
    supervised.stop.abort();
    set(supervised, { state: "down" });
    await supervised.over;
    all.delete(supervised.daemon.name);
    context.changed();
  }

  return {
    /** Starts what is new, ends what is not wanted any more, starts anew what has another command. */
    async apply(daemons: Daemon[], env: Record<string, string>): Promise<void> {
      const digests = new Map(daemons.map((daemon) => [daemon.name, digestOf(daemon, env)]));
      await Promise.all([...all.values()].filter((one) => digests.get(one.daemon.name) !== one.digest).map(stopOne));
      const added: Supervised[] = [];
      for (const daemon of daemons) {
        const known = all.get(daemon.name);
        if (known) {
          known.daemon = daemon; // Its probes and its gate may have changed.
          continue;
        }
        const state: State = { name: daemon.name, state: "waiting", restarts: 0 };
        const digest = digests.get(daemon.name)!;
        const fresh: Supervised = { daemon, digest, state, stop: new AbortController(), over: Promise.resolve() };
        all.set(daemon.name, fresh);
        added.push(fresh);
      }
      // When all are known: some wait for others.
      for (const fresh of added) fresh.over = supervise(fresh, env);
      writeChanged(join(context.layout.run, "services"), daemons.map(({ name }) => `${name}\n`).join("")); // For systemctl, which knows no others.
      context.changed();
    },
    /** Ends all of them, also those that only an earlier agent has started (`names`). */
    async stopAll(names: string[]): Promise<void> {
      await Promise.all([...all.values()].map(stopOne));
      await Promise.all(names.map((name) => endProcess(readRecord(recordFile(name)), { graceMs: stopGraceMs, group: true })));
    },
    isReady,
    gatesReady,
    report: (): State[] => [...all.values()].map((one) => one.state),
  };
}

const digestOf = ({ argv, env, cwd, log }: Daemon, shared: Record<string, string>): string =>
  createHash("sha256")
    .update(JSON.stringify([argv, env, cwd, log, shared]))
    .digest("hex");

function readRecord(file: string): (KnownProcess & { digest: string }) | undefined {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as KnownProcess & { digest: string };
  } catch {
    return undefined;
  }
}
