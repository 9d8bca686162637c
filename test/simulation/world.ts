/** One seed from its first event to its end: users, faults, time, and after each event the invariants. */
import { createHash } from "node:crypto";
import { setImmediate as breath } from "node:timers/promises";
import { AwsError } from "../../src/aws/errors.ts";
import { createSpotMarket, type SpotMarket } from "../../src/market/spot.ts";
import { checkAnswers } from "./answers.ts";
import type { Base } from "./base.ts";
import { createClock } from "./clock.ts";
import { type Answer, beginControlPlane, type ControlPlane } from "./control-plane.ts";
import { checkDebts } from "./debts.ts";
import { createHistory } from "./history.ts";
import { checkAlways, checkRest, unrest } from "./invariants.ts";
import { createNodes } from "./nodes.ts";
import { faults, type Plan, type Planned } from "./plan.ts";
import { createPromises } from "./promises.ts";
import { createRandom } from "./random.ts";
import { readChanges, readRows, readWakes } from "./rows.ts";
import { protectRequest, type Request, requestOf, terminateRequest } from "./users.ts";
import { must, Violation } from "./violation.ts";

export interface Run {
  /** Of all that happened, in its order: the same seed gives the same. */
  hash: string;
  violation: Violation | undefined;
  /** Elapsed milliseconds of simulated time. */
  elapsed: number;
  /** How many events there were: users', faults and timers. */
  events: number;
}

/** When nothing goes wrong any more, all must be as users asked within so long: nodes may take an hour to be ready. */
const mostMs = 2 * 3600_000;
/** Of the store and the provider, for one event: more are a circle. */
const mostCalls = 5_000;

/** Told each line of what happens; `isDetail`: only who looks closely wants it. */
export type Watch = (line: string, isDetail: boolean) => void;

export async function runPlan(base: Base, plan: Plan, watch: Watch = () => {}): Promise<Run> {
  base.restore();
  const clock = createClock();
  const random = createRandom(`ids ${plan.seed}`);
  const hash = createHash("sha256");
  let told = "";
  const history = createHistory();
  const promises = createPromises();
  const [wild, afterAll] = [createSpotMarket(plan.market), createSpotMarket()];
  let isHealed = false;
  /** As the seed has it, until nothing goes wrong any more. */
  const market: SpotMarket = {
    ...wild,
    get interruptions() {
      return wild.interruptions && !isHealed;
    },
    price: (...words) => (isHealed ? afterAll : wild).price(...words),
    capacity: (...words) => (isHealed ? afterAll : wild).capacity(...words),
  };
  const disk = { isFull: false };
  let [events, calls, commits, seenCommits, seenChange] = [0, 0, 0, 0, 0];
  let controlPlane: ControlPlane | undefined;
  let slowDisk = { until: 0, syncMs: 0 };
  let [downMs, isEnding, enginesAt, memoryAt] = [0, false, 0, 0];
  let rows = readRows(base);

  function say(line: string, isDetail = false): void {
    const text = `${time(clock.elapsed())} ${line}`;
    told += `${text}\n`;
    if (told.length > 50_000) told = (hash.update(told), "");
    watch(text, isDetail);
  }

  const nodes = createNodes(
    clock,
    plan.pace,
    () => controlPlane,
    (what) => say(`  node   ${what}`, true),
  );

  function begin(): void {
    if (isEnding) return;
    controlPlane = beginControlPlane({
      connection: base.connection,
      clock,
      random: random.bytes,
      disk,
      provider: (life) => nodes.seenBy(life),
      sync: (its) =>
        slowDisk.until > clock.elapsed() ? new Promise<void>((done) => void its.after(slowDisk.syncMs, done)) : Promise.resolve(),
      enginesAreThere: () => clock.elapsed() >= enginesAt,
      market,
      hasMemory: () => clock.elapsed() >= memoryAt,
      manifestChanged: (clusterId) => nodes.provider.manifestChanged(clusterId),
      committed: () => void (commits += 1),
      ended() {
        base.rollBack();
        calls += controlPlane?.life.calls ?? 0;
        say(`  fault  the control plane ends`);
        // Whoever starts it again does not do so a thousand times a second.
        clock.after(Math.max(downMs, 100), begin);
      },
      log: (line) => say(`  log    ${logged(line)}`, true),
    });
    say("  fault  the control plane begins");
    nodes.lookAgain();
  }

  /** All that is under test waits for nothing but promises and this clock: when Node comes back here, it is at rest. */
  async function rest(): Promise<void> {
    const { life } = controlPlane ?? {};
    const before = life?.calls ?? 0;
    life?.forbidAfter(mostCalls);
    await breath();
    must((life?.calls ?? 0) - before < mostCalls, "The control plane comes to rest", () => `${mostCalls} calls, and no time has gone by`);
  }

  async function check(): Promise<void> {
    events += 1;
    await rest();
    if (commits === seenCommits) return;
    seenCommits = commits;
    rows = readRows(base);
    const changes = readChanges(base, seenChange);
    seenChange = changes.at(-1)?.number ?? seenChange;
    for (const { event } of changes) {
      const { stepId, instanceGroupId, clusterId, state } = event.detail;
      say(`  state  ${stepId ?? instanceGroupId ?? clusterId} ${state} (${event.id.slice(0, 8)})`);
    }
    history.take(changes, rows, nodes.sick);
    checkAlways(rows, nodes);
    checkDebts(rows, readWakes(base));
    promises.checkRows(rows);
  }

  /** An answer that does not come while nothing else happens never comes. */
  async function send(requests: readonly Request[]): Promise<void> {
    const under = requests.map((request) => {
      const state: { request: Request; answer: Answer } = { request, answer: { kind: "lost" } };
      const current = controlPlane;
      current?.call(request.operation, request.input).then(
        (output) => {
          state.answer = { kind: "answer", output };
        },
        (error: unknown) => {
          state.answer = error instanceof AwsError ? { kind: "refused", error } : { kind: "fault", error };
        },
      );
      return state;
    });
    const wasFull = disk.isFull;
    await rest();
    for (const { request, answer } of under) {
      const { operation, input } = request;
      const text = answerText(answer);
      say(`  answer ${operation}: ${text.length > 120 ? `${text.slice(0, 120)}…` : text}`);
      say(`         ${JSON.stringify(input)}: ${text}`, true);
      must(
        answer.kind !== "fault" || wasFull || disk.isFull,
        "No answer is an internal error",
        () => `${operation}: ${String(answer.kind === "fault" && answer.error)}`,
      );
      request.answered(answer);
    }
    await check();
    const touched = new Set(requests.flatMap(({ clusters }) => clusters));
    for (const id of touched) await look(id);
  }

  /** Asks for all that the API says of a cluster. */
  async function look(clusterId: string): Promise<void> {
    const current = controlPlane;
    if (!current?.link || current.life.isOver) return;
    let failure: unknown;
    let states: [string, string][] | undefined;
    checkAnswers(clusterId, (operation, input) => current.call(operation, input) as Promise<never>, history.states, promises).then(
      (found) => {
        states = found;
      },
      (error: unknown) => {
        failure = error;
      },
    );
    await check();
    if (failure) throw failure;
    if (states) history.takeInstances(states);
  }

  async function until(at: number): Promise<void> {
    for (let due = clock.next(); due !== undefined && due <= at; due = clock.next()) {
      clock.step();
      await check();
    }
    clock.advance(at);
  }

  async function follow(): Promise<void> {
    begin();
    await check();
    for (const [at, entries] of Map.groupBy(plan.entries, (entry) => entry.at)) {
      await until(at);
      const requests: Request[] = [];
      for (const entry of entries) {
        say(`${faults.includes(entry.what) ? "fault " : "user  "} ${entryText(entry)}`);
        if (faults.includes(entry.what)) fault(entry);
        else requests.push(...[requestOf(entry, rows, promises)].filter((one) => one !== undefined));
      }
      await send(requests);
    }
  }

  function fault(entry: Planned): void {
    const ids = [...nodes.provider.nodes.keys()];
    const instanceId = "node" in entry ? ids[entry.node % ids.length] : undefined;
    if ("node" in entry && instanceId === undefined) return;
    switch (entry.what) {
      case "crash":
        ({ downMs } = entry);
        return controlPlane?.life.endAfter(entry.count, entry.unit);
      case "mute":
        return nodes.mute(instanceId!, entry.ms);
      case "report":
        return nodes.spoilReport(instanceId!, entry);
      case "disk":
        return nodes.setDisk(instanceId!, entry.is, entry.ms);
      case "stop":
        return nodes.provider.nodes.get(instanceId!)?.stop();
      case "die":
        return nodes.die(instanceId!);
      case "interrupt":
        return controlPlane?.interrupt(instanceId!);
      case "vanish":
        return nodes.vanish(instanceId!);
      case "engines":
        return void (enginesAt = clock.elapsed() + entry.ms);
      case "noMemory":
        return void (memoryAt = clock.elapsed() + entry.ms);
      case "clock":
        return clock.jump(entry.byMs);
      case "slowS3":
        return nodes.slowStops(entry.ms, entry.stopMs);
      case "provider":
        return nodes.failCalls(entry);
      case "slowLaunch":
        return nodes.slowLaunches(entry.ms, entry.launchMs);
      case "fullDisk":
        disk.isFull = true;
        clock.after(entry.ms, () => void (disk.isFull = false));
        return undefined;
      case "slowDisk":
        return void (slowDisk = { until: clock.elapsed() + entry.ms, syncMs: entry.syncMs });
      default:
        throw new Error(`${entry.what} is no fault`);
    }
  }

  /** Nothing goes wrong any more: all comes to rest, as users asked. */
  async function comeToRest(): Promise<void> {
    const limit = clock.elapsed() + mostMs;
    const why = () => (controlPlane?.link ? unrest(rows, nodes, readWakes(base)) : "the control plane is not there");
    for (let left = why(); left !== undefined; left = why()) {
      must(clock.elapsed() < limit, "No cluster is stuck", () => `${left}, ${mostMs / 3600_000} hours after the last fault`);
      must(clock.next() !== undefined, "No cluster is stuck", () => `${left}, and nothing is to happen any more`);
      clock.step();
      await check();
    }
    say("rest");
    checkRest(rows, nodes, promises);
    for (const { id } of rows.clusters) await look(id);
  }

  /** Users end all that they have. */
  async function endAll(): Promise<void> {
    const living = rows.clusters.filter(({ phase }) => phase !== "ended").map(({ id }) => id);
    say(`user   terminate all: ${living.join(", ") || "nothing is left"}`);
    if (living.length === 0) return;
    await send([protectRequest(living, false, promises)]);
    await send([terminateRequest(living, rows, promises)]);
    await comeToRest();
    for (const { id, phase } of rows.clusters) must(phase === "ended", "No cluster is stuck", () => `${id} is ${phase}`);
    must(nodes.provider.nodes.size === 0, "No instance without owner", () => `${[...nodes.provider.nodes.keys()].join(", ")} is left`);
  }

  let violation: Violation | undefined;
  try {
    await follow();
    say("heal");
    nodes.heal();
    isHealed = true;
    disk.isFull = false;
    slowDisk.until = enginesAt = memoryAt = 0;
    for (const unit of ["calls", "commits"] as const) controlPlane?.life.endAfter(Infinity, unit);
    await comeToRest();
    await endAll();
  } catch (error) {
    if (!(error instanceof Violation)) throw error;
    violation = error;
  }
  say(`end    ${violation?.message ?? "all invariants hold"}, ${calls + (controlPlane?.life.calls ?? 0)} calls`);
  isEnding = true;
  controlPlane?.life.end();
  await breath();
  return { hash: hash.update(told).digest("hex"), violation, elapsed: clock.elapsed(), events };
}

/** h:mm:ss.mmm */
function time(ms: number): string {
  const two = (n: number) => String(Math.floor(n)).padStart(2, "0");
  return `${Math.floor(ms / 3600_000)}:${two((ms / 60_000) % 60)}:${two((ms / 1000) % 60)}.${String(ms % 1000).padStart(3, "0")}`;
}

export function entryText({ at: _at, what, ...rest }: Planned): string {
  return `${what} ${JSON.stringify(rest)}`;
}

function answerText(answer: Answer): string {
  if (answer.kind === "answer") return JSON.stringify(answer.output);
  if (answer.kind === "lost") return "no answer";
  const { name, message } = answer.kind === "refused" ? answer.error : (answer.error as Error);
  return `${name}: ${message}`;
}

/** A line of the control plane's log. */
function logged(line: string): string {
  if (!line.startsWith("{")) return line;
  const { msg, err, kind, id } = JSON.parse(line) as { msg: string; err?: { message: string }; kind?: string; id?: string };
  return [kind, id, msg, err?.message].filter((part) => part !== undefined).join(": ");
}
