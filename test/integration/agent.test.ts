/** The agent on real nodes (degree plain; the degree makes no difference to it) against a control plane that is just a small HTTP server. */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { credentialsPort } from "../../src/agent/layout.ts";
import type { Daemon, Manifest, StepOrder } from "../../src/agent/manifest.ts";
import { lookOnce, runOnce } from "../../src/agent/run-once.ts";
import { findByEnvironment, identify, isAlive, signal } from "../../src/process/known.ts";
import type { LaunchSpec } from "../../src/providers/provider.ts";
import { createNodeHarness, eventually, launchSpec, manifest, type NodeHarness } from "./node-harness.ts";

let harness: NodeHarness;
let network = "";
let ordinal = 0;
before(async () => {
  harness = await createNodeHarness("plain");
  network = await harness.provider.claimNetwork("j-AGENT", undefined);
});
after(() => harness?.dispose());

/** A node, with what a test needs to talk about it. */
async function start(parts: (node: { spec: LaunchSpec; logs: string }) => Partial<Manifest>) {
  ordinal++;
  const spec = launchSpec(network, ordinal, "j-AGENT", `i-${ordinal.toString(16).padStart(17, "a")}`);
  const { logs, root, steps } = harness.layout(spec.instanceId);
  let now = manifest(spec, parts({ spec, logs }));
  harness.control().order(now);
  await harness.provider.launch(spec);
  const id = spec.instanceId;
  return {
    spec,
    id,
    logs,
    root,
    steps,
    change(parts: Partial<Manifest>) {
      now = { ...now, ...parts, generation: now.generation + 1 };
      harness.control().order(now);
    },
    again: () => harness.control().order(now),
    reported: (what: string, fits: Parameters<ReturnType<NodeHarness["control"]>["reported"]>[2]) =>
      harness.control().reported(id, what, fits),
    async killAgent() {
      const agent = await eventually("an agent", () => harness.agent(id));
      signal(agent, "SIGKILL");
      await eventually("the agent's end", () => !isAlive(agent));
    },
    end: () => harness.provider.terminate(id),
  };
}

const daemon = (logs: string, argv: string[], more: Partial<Daemon> = {}): Daemon => ({
  name: "web",
  argv,
  log: join(logs, "web.log"),
  ready: [],
  gate: true,
  ...more,
});
const web = (spec: LaunchSpec, logs: string, more: Partial<Daemon> = {}) =>
  daemon(logs, ["python3", "-m", "http.server", "8088"], { ready: [{ tcp: { host: spec.address, port: 8088 } }], ...more });
const step = (id: string, script: string): StepOrder => ({
  id,
  name: id,
  fetch: [],
  argv: ["bash", "-c", script],
  env: { GREETING: "hi" },
});
const lines = (file: string): string[] => (existsSync(file) ? readFileSync(file, "utf8").split("\n").filter(Boolean) : []);

describe("agent", () => {
  it("goes through files, bootstrap actions, daemons, tasks and steps in that order", async () => {
    const order = join(mkdtempSync(join(tmpdir(), "howdah-order-")), "order");
    const node = await start(({ spec, logs }) => {
      const note = (text: string) => ["bash", "-c", `echo ${text} >> ${order}`];
      const script = `${order}.sh`;
      writeFileSync(script, `#!/bin/bash\ntest ! -e ${logs}/../conf/a.conf && echo bootstrap $1 >> ${order}\n`);
      return {
        env: { PLACE: "earth" },
        files: [
          { path: join(logs, "../conf/a.conf"), content: "a", mode: 0o600 },
          { path: join(logs, "../conf/b.conf"), copyFrom: join(logs, "../conf/a.conf") },
        ],
        bootstrapActions: [
          { ordinal: 1, name: "one", path: `file://${script}`, args: ["1"] },
          { ordinal: 2, name: "two", path: script, args: ["2"] },
        ],
        daemons: [
          // Not awaited: it is started when all others are ready.
          daemon(logs, ["bash", "-c", `echo behind >> ${order}; exec sleep 3600`], { name: "behind", gate: false }),
          web(spec, logs, { after: ["first"] }),
          daemon(logs, ["bash", "-c", `cat ${logs}/../conf/b.conf > /dev/null && echo daemon >> ${order}; exec sleep 3600`], {
            name: "first",
          }),
          daemon(logs, ["bash", "-c", `echo last >> ${order}; exec sleep 3600`], { name: "last", after: ["web", "task"] }),
        ],
        tasks: [{ name: "task", after: "web", argv: note("task"), gate: true }],
        steps: [step("s-ORDER", `echo "step $GREETING $PLACE" | tee -a ${order}`)],
      };
    });
    const report = await node.reported(
      "the step's end",
      ({ steps, daemons }) => steps[0]?.logsShipped !== undefined && daemons.every(({ state }) => state === "ready"),
    );
    assert.equal(report.phase, "ready");
    const all = lines(order);
    assert.deepEqual(
      all.filter((line) => line !== "behind"),
      ["bootstrap 1", "bootstrap 2", "daemon", "task", "last", "step hi earth"],
    );
    assert.ok(all.indexOf("behind") > all.indexOf("last"), all.join());
    assert.deepEqual(
      report.bootstrapActions.map(({ state, exitCode }) => [state, exitCode]),
      [
        ["done", 0],
        ["done", 0],
      ],
    );
    assert.deepEqual(
      report.daemons.map(({ name, state }) => `${name} ${state}`),
      ["behind ready", "web ready", "first ready", "last ready"],
    );
    assert.equal(readFileSync(join(node.logs, "steps/s-ORDER/stdout"), "utf8"), "step hi earth\n");
    assert.match(readFileSync(join(node.logs, "steps/s-ORDER/controller"), "utf8"), /startExec bash -c[\s\S]*exit code 0/);
    await node.end();
    rmSync(join(order, ".."), { recursive: true });
  });

  it("runs the command that takes nodes out of service as long as it is ordered, and tells what it wrote last", async () => {
    const runs = join(mkdtempSync(join(tmpdir(), "howdah-decommission-")), "runs");
    const say = (id: string, state: string) => `echo '${JSON.stringify({ decommission: { [id]: state } })}'`;
    const command = (id: string, script: string) => ({
      argv: ["bash", "-c", `echo ${id} >> ${runs}; ${say(id, "DECOMMISSIONING")}; ${script}`],
    });
    const done = (id: string) => say(id, "DECOMMISSIONED");
    const node = await start(() => ({ decommission: command("i-1", `sleep 0.3; ${done("i-1")}; exec sleep 3600`) }));
    const state = (id: string, wanted: string) =>
      node.reported(`${id} ${wanted}`, ({ decommission = {} }) => Object.keys(decommission).length === 1 && decommission[id] === wanted);
    await state("i-1", "DECOMMISSIONED");
    // What another order has said is not told of this one.
    node.change({ decommission: command("i-2", `test $(grep -c i-2 ${runs}) -gt 1 || exit 1; ${done("i-2")}`) });
    await state("i-2", "DECOMMISSIONED");
    assert.deepEqual(lines(runs), ["i-1", "i-2", "i-2"], "a failure is tried again, an end is not");
    await node.killAgent();
    await eventually("the next agent runs it again", () => lines(runs).length === 4);
    node.change({ decommission: undefined });
    await node.reported("nothing", ({ decommission }) => decommission === undefined);
    await node.end();
    rmSync(join(runs, ".."), { recursive: true });
  });

  it("does not start a daemon again that may end", async () => {
    const node = await start(({ logs }) => ({ daemons: [daemon(logs, ["sleep", "3600"])] }));
    const { pid } = (await node.reported("ready", ({ phase }) => phase === "ready")).daemons[0]!;
    node.change({ daemons: [daemon(node.logs, ["sleep", "3600"], { mayEnd: true })] });
    assert.equal((await node.reported("the same process", ({ daemons }) => daemons[0]?.state === "ready")).daemons[0]!.pid, pid);
    process.kill(pid!, "SIGKILL");
    const { daemons } = await node.reported("its end", (report) => report.daemons[0]?.state === "down");
    assert.equal(daemons[0]!.restarts, 0);
    await node.end();
  });

  it("starts a daemon again when it dies, and adopts it after kill -9 of the agent", async () => {
    const node = await start(({ spec, logs }) => ({ daemons: [web(spec, logs)] }));
    const first = (await node.reported("ready", ({ phase }) => phase === "ready")).daemons[0]!.pid!;
    process.kill(first, "SIGKILL");
    const second = (await node.reported("a restart", ({ daemons }) => daemons[0]!.restarts === 1 && daemons[0]!.state === "ready"))
      .daemons[0]!.pid!;
    assert.notEqual(second, first);

    const before = harness.control().report(node.id)!.seq;
    await node.killAgent();
    const report = await node.reported(
      "the next agent's",
      ({ seq, daemons }) => seq > before && daemons[0]?.state === "ready" && daemons[0].restarts === 0,
    );
    assert.equal(report.daemons[0]!.pid, second);
    assert.equal(report.phase, "ready");

    node.change({ daemons: [web(node.spec, node.logs, { env: { NEW: "1" } })] });
    const third = (await node.reported("the changed daemon", ({ daemons }) => daemons[0]?.state === "ready" && daemons[0].pid !== second))
      .daemons[0]!.pid!;
    node.change({ daemons: [] });
    await node.reported("no daemon", ({ daemons }) => daemons.length === 0);
    assert.equal(identify(third), undefined);
    await node.end();
  });

  it("says that a daemon cannot be started", async () => {
    const argv = ["bash", "-c", "echo 'java.net.BindException: Address in use' >&2; exit 1"];
    const node = await start(({ spec, logs }) => ({
      daemons: [daemon(logs, argv, { ready: [{ tcp: { host: spec.address, port: 1234 } }] })],
    }));
    const { failure } = await node.reported("failed", ({ phase }) => phase === "failed");
    assert.equal(failure?.kind, "daemon");
    assert.match(failure.message, /BindException/);
    await node.end();
  });

  it("finds a control plane that was started again at another port", async () => {
    const node = await start(({ spec, logs }) => ({ daemons: [web(spec, logs)] }));
    await node.reported("ready", ({ phase }) => phase === "ready");
    await harness.restartControl();
    node.change({ steps: [step("s-LATER", "true")] });
    await node.reported("the step's end", ({ steps }) => steps[0]?.exitCode === 0);
    assert.deepEqual(harness.control().refused, []);
    await node.end();
  });

  it("runs a step exactly once, though the agent is killed again and again", async () => {
    const node = await start(() => ({}));
    await node.reported("ready", ({ phase }) => phase === "ready");
    const ran = join(node.root, "ran");
    // The agent keeps its records in a file of that name, too: a step's own does not meet it.
    node.change({
      steps: [
        step("s-ONCE", `echo 0 > exit; echo begun >> ${ran}; sleep 3; echo ended >> ${ran}; echo "bad: Exception: no luck" >&2; exit 7`),
      ],
    });
    await eventually("the step's begin", () => lines(ran).length > 0);
    await node.killAgent();
    await node.reported("running", ({ steps }) => steps[0]?.state === "running");
    await node.killAgent();
    await eventually("the end", () => lines(ran).length === 2);
    const { steps } = await node.reported("exited", ({ steps }) => steps[0]?.logsShipped === true);
    assert.equal(steps[0]!.exitCode, 7);
    assert.match(steps[0]!.message!, /no luck/);
    await node.killAgent();
    const before = harness.control().report(node.id)!.seq;
    await node.reported("exited, again", ({ steps, seq }) => seq > before && steps[0]?.exitCode === 7);
    assert.deepEqual(lines(ran), ["begun", "ended"]);
    await node.end();
  });

  it("a step whose runner was killed is lost, and not run again", async () => {
    const node = await start(() => ({ steps: [step("s-LOST", `echo begun >> ran; sleep 3600`)] }));
    const ran = join(node.steps, "s-LOST", "work", "ran");
    await eventually("the step's begin", () => lines(ran).length > 0);
    const runner = JSON.parse(readFileSync(join(node.steps, "s-LOST", "process"), "utf8")) as { pid: number };
    process.kill(-runner.pid, "SIGKILL");
    await node.reported("lost", ({ steps }) => steps[0]?.state === "lost");
    await node.killAgent();
    const before = harness.control().report(node.id)!.seq;
    await node.reported("lost, again", ({ steps, seq }) => seq > before && steps[0]?.state === "lost");
    assert.deepEqual(lines(ran), ["begun"]);
    await node.end();
  });

  /** A step whose main process, one in its session and one that has left session, parent and environment note their ends in `ran`. */
  const family = (id: string, more = "") =>
    step(
      id,
      `note() { trap "echo $1 >> $PWD/ran; sleep 0.3; exit" TERM; echo begun >> $PWD/ran; while :; do sleep 0.1; done; }
       ${more}
       (note child) &
       export -f note; setsid -f bash -c "note orphan" < /dev/null > /dev/null 2>&1
       note main`,
    );
  const begun = async (node: { steps: string }, id: string, count: number) => {
    const ran = join(node.steps, id, "work", "ran");
    await eventually(`the begin of ${id}`, () => lines(ran).filter((line) => line === "begun").length === count);
    return ran;
  };
  const ofStep = (id: string) => findByEnvironment("HOWDAH_STEP_ID", id).filter(isAlive);

  it("cancels a running step with one SIGTERM to its process, then to what it leaves behind, though the agent is killed", async () => {
    const node = await start(() => ({ steps: [family("s-TERM")] }));
    const ran = await begun(node, "s-TERM", 3);
    node.change({ steps: [{ ...family("s-TERM"), cancel: "SEND_INTERRUPT" }] });
    await node.killAgent();
    const { steps } = await node.reported("cancelled", ({ steps }) => steps[0]?.state === "cancelled");
    assert.equal(typeof steps[0]!.endedAt, "number");
    await eventually("the end of all", () => ofStep("s-TERM").length === 0);
    const ends = lines(ran).slice(3);
    assert.equal(ends[0], "main", "the others are left to it, as EMR's users expect");
    assert.deepEqual(ends.toSorted(), ["child", "main", "orphan"]);
    assert.match(readFileSync(join(node.logs, "steps/s-TERM/controller"), "utf8"), /Cancellation: SEND_INTERRUPT[\s\S]*Step cancelled/);
    await node.killAgent();
    const before = harness.control().report(node.id)!.seq;
    await node.reported("cancelled, again", ({ steps, seq }) => seq > before && steps[0]?.state === "cancelled");
    await node.end();
  });

  it("a step that does not heed SIGTERM goes on; SIGKILL ends it and all that it started, over a kill of the agent", async () => {
    const deaf = family("s-KILL", 'trap "" TERM; note() { echo begun >> $PWD/ran; while :; do sleep 0.1; done; }');
    const node = await start(() => ({ steps: [deaf] }));
    await begun(node, "s-KILL", 3);
    node.change({ steps: [{ ...deaf, cancel: "SEND_INTERRUPT" }] });
    const log = join(node.logs, "steps/s-KILL/controller");
    await eventually("the signal", () => readFileSync(log, "utf8").includes("SEND_INTERRUPT"));
    await node.reported("still running", ({ steps }) => steps[0]?.state === "running");
    node.change({ steps: [{ ...deaf, cancel: "TERMINATE_PROCESS" }] });
    await node.killAgent();
    const { steps } = await node.reported("cancelled", ({ steps }) => steps[0]?.state === "cancelled");
    assert.equal(steps[0]!.exitCode, 137);
    assert.deepEqual(ofStep("s-KILL"), []);
    await node.end();
  });

  it("a step that is cancelled while it is fetched never begins; one that has ended stays as it ended", async () => {
    const node = await start(() => ({ steps: [step("s-FAST", "true")] }));
    await node.reported("the first one's end", ({ steps }) => steps[0]?.exitCode === 0);
    harness.control().setS3(false);
    const slow = {
      ...step("s-FETCH", "touch begun"),
      fetch: [{ uri: "s3://bucket/slow.jar", to: join(node.steps, "s-FETCH", "slow.jar") }],
    };
    node.change({ steps: [{ ...step("s-FAST", "true"), cancel: "TERMINATE_PROCESS" }, slow] });
    await node.reported("fetching", ({ steps }) => steps[1]?.state === "fetching");
    node.change({
      steps: [
        { ...step("s-FAST", "true"), cancel: "TERMINATE_PROCESS" },
        { ...slow, cancel: "SEND_INTERRUPT" },
      ],
    });
    const { steps } = await node.reported("cancelled", ({ steps }) => steps[1]?.state === "cancelled");
    assert.deepEqual([steps[0]!.state, steps[0]!.exitCode, steps[1]!.exitCode], ["exited", 0, undefined]);
    harness.control().setS3(true);
    await node.killAgent();
    const before = harness.control().report(node.id)!.seq;
    await node.reported("cancelled, again", ({ steps, seq }) => seq > before && steps[1]?.state === "cancelled");
    assert.ok(!existsSync(join(node.steps, "s-FETCH", "work", "begun")));
    await node.end();
  });

  it("a bootstrap action that fails, or cannot be fetched, fails the node", async () => {
    const failing = await start(({ spec }) => {
      const script = join(harness.data.root, `${spec.instanceId}.sh`);
      writeFileSync(script, "#!/bin/bash\nsudo true /home/hadoop 2> /dev/null; echo oh no >&2\nexit 3\n");
      return { bootstrapActions: [{ ordinal: 1, name: "bad", path: script, args: [] }], steps: [step("s-NEVER", "true")] };
    });
    const report = await failing.reported("failed", ({ phase }) => phase === "failed");
    assert.deepEqual([report.failure!.kind, report.failure!.ordinal, report.failure!.exitCode], ["bootstrap-exit", 1, 3]);
    assert.match(
      readFileSync(report.failure!.logFile!, "utf8"),
      /^WARN bootstrap action 1 \(bad\) uses sudo, \/home\/hadoop: .*\noh no\n$/,
    );
    assert.match(report.warnings.join("\n"), /bootstrap action 1 \(bad\) uses sudo, \/home\/hadoop/);
    assert.deepEqual(readdirSync(failing.steps), []);
    await failing.end();

    const missing = await start(() => ({ bootstrapActions: [{ ordinal: 1, name: "gone", path: "s3://bucket/no/such.sh", args: [] }] }));
    const { failure } = await missing.reported("failed", ({ phase }) => phase === "failed");
    assert.equal(failure!.kind, "bootstrap-download");
    assert.match(failure!.message, /s3:\/\/bucket\/no\/such\.sh.*404/);
    await missing.end();
  });

  it("a bootstrap action that runs when the agent is killed runs once", async () => {
    harness.control().objects.set("bucket/slow.sh", Buffer.from('#!/bin/bash\necho "begun $1" >> ran; sleep 2; echo ended >> ran\n'));
    const node = await start(() => ({ bootstrapActions: [{ ordinal: 1, name: "slow", path: "s3://bucket/slow.sh", args: ["a b"] }] }));
    const ran = join(node.root, "bootstrap-actions", "1", "work", "ran");
    await eventually("its begin", () => lines(ran).length > 0);
    await node.killAgent();
    await node.reported("ready", ({ phase }) => phase === "ready");
    assert.deepEqual(lines(ran), ["begun a b", "ended"]);
    await node.end();
  });

  it("ships logs in EMR's layout, a step's completely, and all when the node stops", async () => {
    const { objects } = harness.control();
    objects.set("bucket/script.sh", Buffer.from("#!/bin/bash\necho out $1; echo err >&2\n"));
    const node = await start(({ spec, logs }) => ({
      daemons: [
        web(spec, logs),
        daemon(logs, ["bash", "-c", "echo started; exec sleep 3600"], { name: "b", log: join(logs, "b", "b.log") }),
      ],
      logs: { uri: "s3://logs/here/j-AGENT", folders: [{ from: join(logs, "b"), to: "node/{i}/applications/b" }] },
      bootstrapActions: [{ ordinal: 1, name: "ba", path: "s3://bucket/script.sh", args: ["ba"] }],
      steps: [
        {
          ...step("s-SHIP", ""),
          fetch: [{ uri: "s3://bucket/script.sh", to: join(logs, "../fetched.sh") }],
          argv: [join(logs, "../fetched.sh"), "step"],
        },
      ],
    }));
    await node.reported("shipped", ({ steps }) => steps[0]?.logsShipped === true);
    const text = (key: string) => harness.control().text(`logs/here/j-AGENT/${key}`);
    assert.equal(text("steps/s-SHIP/stdout.gz"), "out step\n");
    assert.equal(text("steps/s-SHIP/stderr.gz"), "err\n");
    assert.match(text("steps/s-SHIP/controller.gz")!, /Fetching s3:\/\/bucket\/script.sh[\s\S]*succeeded/);
    node.change({ stopping: true });
    const report = await node.reported("stopped", ({ phase }) => phase === "stopped");
    assert.equal(text(`node/${node.id}/applications/b/b.log.gz`), "started\n");
    assert.equal(text(`node/${node.id}/bootstrap-actions/1/stdout.gz`), "out ba\n");
    assert.deepEqual(report.daemons, []);
    assert.deepEqual(report.warnings, []);
    await node.end();
  });

  it("saves behind each step, and a last time while the daemons still answer; what could not be saved is a warning", async () => {
    const node = await start(({ spec, logs }) => {
      const look = `python3 -c "import urllib.request as u; u.urlopen('http://${spec.address}:8088')"`;
      return {
        daemons: [web(spec, logs)],
        saves: [
          { name: "keeps", argv: ["bash", "-c", `${look} && echo "saved $1" >> ${logs}/saves`, "-"], timeoutMs: 60_000 },
          { name: "fails", argv: ["bash", "-c", "echo 'not all of it' >&2; exit 1"], timeoutMs: 60_000 },
        ],
        steps: [step("s-SAVE", "true")],
      };
    });
    await eventually("the save behind the step", () => lines(join(node.logs, "saves")).length > 0);
    assert.deepEqual(lines(join(node.logs, "saves")), ["saved "]);
    node.change({ stopping: true });
    const report = await node.reported("stopped", ({ phase }) => phase === "stopped");
    assert.deepEqual(lines(join(node.logs, "saves")), ["saved ", "saved last"]);
    assert.deepEqual(report.warnings, ["fails of j-AGENT is not whole: not all of it"]);
    await node.end();
  });

  it("an S3 that is down delays no step, and is said in a warning", async () => {
    const node = await start(() => ({ logs: { uri: "s3://logs/dead", folders: [] } }));
    await node.reported("ready", ({ phase }) => phase === "ready");
    harness.control().setS3(false);
    node.change({ steps: [step("s-DEAD1", "true")] });
    await node.reported("the first step's end", ({ steps }) => steps[0]?.exitCode === 0);
    node.change({ steps: [step("s-DEAD1", "true"), step("s-DEAD2", "true")] });
    await node.reported("the second step's end", ({ steps }) => steps[1]?.exitCode === 0);
    const report = await node.reported("the warning", ({ steps }) => steps[0]?.logsShipped === false);
    assert.match(report.warnings.join("\n"), /logs of step s-DEAD1 were not in s3:\/\/logs\/dead\/steps\/s-DEAD1\//);
    harness.control().setS3(true);
    await eventually("the log after all", () => harness.control().text("logs/dead/steps/s-DEAD1/controller.gz"));
    await node.end();
  });

  it("gives the cluster's credentials to who shows the token of the file", async () => {
    const node = await start(() => ({
      steps: [
        step(
          "s-CREDENTIALS",
          'curl -sf -H "Authorization: $(cat $AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE)" $AWS_CONTAINER_CREDENTIALS_FULL_URI',
        ),
      ],
    }));
    await node.reported("the step's end", ({ steps }) => steps[0]?.exitCode === 0);
    assert.match(readFileSync(join(node.logs, "steps/s-CREDENTIALS/stdout"), "utf8"), /"AccessKeyId":"AKIDTEST"/);
    const answer = await fetch(`http://${node.spec.address}:${credentialsPort}/credentials`, { headers: { authorization: "wrong" } });
    assert.equal(answer.status, 403);
    await node.end();
  });
});

const command = (folder: string) => ({
  argv: ["bash", "-c", `echo ran >> ${folder}/ran`],
  cwd: "/",
  env: { PATH: process.env.PATH! },
  stdout: join(folder, "out"),
  stderr: join(folder, "err"),
});
const fresh = () => mkdtempSync(join(harness.data.root, "once-"));

describe("at most once", () => {
  it("a marker alone, as an agent leaves it that is killed before the start, is lost for good", async () => {
    const folder = fresh();
    writeFileSync(join(folder, "started"), "");
    assert.equal((await runOnce(folder, command(folder), () => {})).state, "lost");
    assert.equal(lookOnce(folder).state, "lost");
    assert.deepEqual(lines(join(folder, "ran")), []);
  });

  it("a runner that comes after its start was declared lost does not run the command", async () => {
    const folder = fresh();
    writeFileSync(join(folder, "started"), "");
    assert.equal(lookOnce(folder).state, "lost");
    const late = fresh();
    mkdirSync(late, { recursive: true });
    writeFileSync(join(late, "process"), "lost\n");
    // What the wrapper does when it starts at last.
    assert.equal((await runOnce(late, command(late), () => {})).state, "lost");
    await sleep(200);
    assert.deepEqual(lines(join(late, "ran")), []);
  });

  it("a command is a program, never one of the shell's own: arguments stay as they are, and the end is known", async () => {
    const run = (folder: string, ...argv: string[]) => runOnce(folder, { ...command(folder), argv }, () => {});
    const folder = fresh();
    await run(folder, "echo", "a\\nb", " c  d ", "");
    assert.equal(readFileSync(join(folder, "out"), "utf8"), "a\\nb  c  d  \n");
    const end = await run(fresh(), "exit", "3");
    assert.deepEqual([end.state, end.state === "exited" && end.exitCode], ["exited", 127]);
  });

  it("what has ended is read, not run again", async () => {
    const folder = fresh();
    const end = await runOnce(folder, command(folder), () => {});
    assert.deepEqual([end.state, end.state === "exited" && end.exitCode], ["exited", 0]);
    assert.equal((await runOnce(folder, command(folder), () => {})).state, "exited");
    assert.deepEqual(lines(join(folder, "ran")), ["ran"]);
  });
});
