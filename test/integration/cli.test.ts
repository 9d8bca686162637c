/** The `howdah` command as people use it, on a real cluster of two nodes: shells on nodes, logs as they grow, status, completion. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { nodeVariable } from "../../src/data-folder.ts";
import { findByEnvironment } from "../../src/process/known.ts";
import { type Howdah, releaseLabel, startHowdah, until } from "./howdah.ts";

const root = join(import.meta.dirname, "../..");
const program = join(root, "bin", "howdah.js");
let howdah: Howdah;
let clusterId = "";
let master = "";

before(async () => {
  howdah = await startHowdah();
  const what = ["--name", "comfort", "--release-label", releaseLabel, "--applications", "Name=Spark", "--use-default-roles"];
  const created = await howdah.aws("emr", "create-cluster", ...what, "--instance-type", "m5.xlarge", "--instance-count", "2");
  clusterId = created.ClusterId;
  await until("a cluster that is ready", async () => (await howdah.cluster(clusterId)).Status.State === "WAITING");
  const { Instances } = await howdah.aws("emr", "list-instances", "--cluster-id", clusterId, "--instance-group-types", "MASTER");
  master = Instances[0].Ec2InstanceId;
});
after(() => howdah?.stop());

interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** `howdah` itself, as a shell starts it; `input` goes to its standard input. */
function start(args: string[], env: Record<string, string> = {}): { child: ChildProcess; output: () => string; ended: Promise<Ended> } {
  const child = spawn(program, args, {
    env: { PATH: process.env.PATH ?? "", HOME: "/nonexistent", HOWDAH_DATA: howdah.data.root, ...env },
  });
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (chunk) => (stdout += String(chunk)));
  child.stderr.on("data", (chunk) => (stderr += String(chunk)));
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, stdout, stderr }));
  });
  return { child, output: () => stdout + stderr, ended };
}

function run(args: string[], input = ""): Promise<Ended> {
  const { child, ended } = start(args);
  child.stdin!.end(input);
  return ended;
}

test("ssh runs a command on a node as EMR's user, in its home, with the environment of a step", async () => {
  const { code, stdout, stderr } = await run([
    "ssh",
    clusterId,
    "--",
    "id -un; pwd; hostname; echo $HOWDAH_NODE; hadoop fs -ls -d /user/hadoop",
  ]);
  assert.equal(code, 0, stderr);
  const [user, home, host, node, listed] = stdout.trim().split("\n");
  const { Cluster } = await howdah.aws("emr", "describe-cluster", "--cluster-id", clusterId);
  assert.deepEqual([user, home, node], ["hadoop", "/home/hadoop", master]);
  assert.equal(host!.split(".")[0], `ip-${Cluster.MasterPublicDnsName.replaceAll(".", "-")}`);
  assert.match(listed!, /^drwx.* \/user\/hadoop$/);
});

test("ssh passes on input, standard error and exit codes, finds nodes by their place and clusters by a part of their id", async () => {
  const { code, stdout, stderr } = await run(["ssh", clusterId.slice(0, 8), "core1", "--", "cat; hostname >&2; exit 7"], "one\ntwo");
  assert.deepEqual([code, stdout], [7, "one\ntwo"]);
  const { Instances } = await howdah.aws("emr", "list-instances", "--cluster-id", clusterId, "--instance-group-types", "CORE");
  assert.match(stderr, new RegExp(Instances[0].PrivateIpAddress.replaceAll(".", "-")));
  assert.equal((await run(["ssh", "last", "--", "kill -9 $$"])).code, 137);
  const slow = spawnSync("bash", ["-o", "pipefail", "-c", `"$0" ssh ${clusterId} -- seq 1 300000 | { sleep 1; wc -l; }`, program], {
    env: { ...process.env, HOWDAH_DATA: howdah.data.root },
    encoding: "utf8",
  });
  assert.deepEqual([slow.status, slow.stdout.trim(), slow.stderr], [0, "300000", ""]);
  const wrong = await run(["ssh", clusterId, "core2", "--", "true"]);
  assert.deepEqual([wrong.code, wrong.stdout], [1, ""]);
  assert.match(wrong.stderr, /no node core2\. There are: master i-/);
});

test("ssh that is told to end takes its command with it", async () => {
  const running = start(["ssh", clusterId, "--", "echo begun; sleep 1234; echo never"]);
  await until("the command's start", async () => running.output().includes("begun"));
  running.child.kill("SIGTERM");
  const { code, stdout } = await running.ended;
  assert.deepEqual([code, stdout], [143, "begun\n"]);
  await until("the end of what ran on the node", async () => findByEnvironment(nodeVariable, master).every(({ pid }) => !isSleep(pid)));
});

const isSleep = (pid: number): boolean => commandOf(pid).includes("sleep 1234");
function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
  } catch {
    return "";
  }
}

/** `howdah` on a terminal of 33 lines and 120 columns (terminal.py). */
function openTerminal(args: string[]) {
  const env = { PATH: process.env.PATH ?? "", HOME: "/nonexistent", HOWDAH_DATA: howdah.data.root, TERM: "xterm" };
  const child = spawn(join(howdah.installation.toolsBin, "python3"), [join(import.meta.dirname, "terminal.py"), program, ...args], { env });
  let [shown, seen] = ["", 0];
  child.stdout.on("data", (chunk) => (shown += String(chunk)));
  child.stderr.on("data", (chunk) => (shown += String(chunk)));
  let isOver = false;
  const ended = new Promise<number | null>((resolve) =>
    child.on("close", (code) => {
      isOver = true;
      resolve(code);
    }),
  );
  return {
    ended,
    type: (text: string) => child.stdin.write(text),
    /** Waits until what was shown since the last call fits. */
    async shows(pattern: RegExp): Promise<string> {
      const look = async () =>
        pattern.exec(shown.slice(seen)) ?? (isOver ? Promise.reject(new Error("the terminal has ended")) : undefined);
      const found = await until(`${pattern} on the terminal`, look).catch((error: Error) => {
        throw new Error(`${error.message}: ${JSON.stringify(shown.slice(seen))}`);
      });
      seen += found.index + found[0].length;
      return found[0];
    },
  };
}

test("ssh on a terminal: the prompt of an EMR node, a terminal of the node, Ctrl-C for what runs in it, the shell's exit code", async () => {
  const terminal = openTerminal(["ssh", clusterId]);
  await terminal.shows(/\[hadoop@ip-[-\d]+\S* ~\]\$ $/);
  terminal.type("tty; echo size $(stty size)\n");
  await terminal.shows(/\/dev\/pts\/\d+\s+size 33 120\s/);
  await terminal.shows(/~\]\$ $/);
  terminal.type("sleep 1234; echo after $?\n");
  await until("the command's start", async () => findByEnvironment(nodeVariable, master).some(({ pid }) => isSleep(pid)));
  terminal.type("\x03");
  await terminal.shows(/\^C/);
  await until("the command's end", async () => !findByEnvironment(nodeVariable, master).some(({ pid }) => isSleep(pid)));
  terminal.type("exit 5\n");
  assert.equal(await terminal.ended, 5);
});

const addStep = async (Name: string, script: string): Promise<string> => {
  const step = { Name, Type: "CUSTOM_JAR", Jar: "command-runner.jar", ActionOnFailure: "CONTINUE", Args: ["bash", "-c", script] };
  return (await howdah.aws("emr", "add-steps", "--cluster-id", clusterId, "--steps", JSON.stringify([step]))).StepIds[0];
};

test("logs -f shows a step's lines while it runs, each under its file's name, and ends with it", async () => {
  const gate = "$HOME/go";
  const stepId = await addStep(
    "talks",
    `echo first; echo wrong >&2; until [ -e ${gate} ]; do sleep 0.1; done; printf 'last, without an end'`,
  );
  const following = start(["logs", clusterId, stepId, "-f"]);
  await until("the first lines", async () => /^stdout +first$/m.test(following.output()) && /^stderr +wrong$/m.test(following.output()));
  assert.equal(following.child.exitCode, null, "it goes on while the step does");
  const other = start(["logs", clusterId, "-f"]);
  await until("the same among all steps", async () => new RegExp(`^${stepId} stdout +first$`, "m").test(other.output()));
  assert.equal((await run(["ssh", clusterId, "--", "touch", gate])).code, 0);
  const { code, stdout, stderr } = await following.ended;
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^stdout +last, without an end$/m);
  assert.match(stdout, /^controller .*Step succeeded/m);
  assert.match(stderr, new RegExp(`Step ${stepId} \\(talks\\) is COMPLETED`));
  other.child.kill("SIGINT");
  assert.equal((await other.ended).code, 130);
});

test("logs of a step that fails: whole, under each file's path; the exit code when followed; a reader that has had enough", async () => {
  const stepId = await addStep("fails", "seq 1 200000; echo broken >&2; exit 3");
  const followed = await run(["logs", clusterId, "last", "-f", "-n", "1"]);
  assert.equal(followed.code, 1);
  assert.match(followed.stderr, /is FAILED\. .*broken/);
  const { code, stdout } = await run(["logs", clusterId, stepId.slice(0, 9)]);
  assert.equal(code, 0);
  assert.match(stdout, new RegExp(`^==> .*/steps/${stepId}/controller <==\\n`));
  assert.match(stdout, /\/stderr <==\nbroken\n[^]*\/stdout <==\n1\n2\n[^]*\n200000\n$/);
  const head = spawnSync("bash", ["-o", "pipefail", "-c", `"$0" logs ${clusterId} ${stepId} | head -1`, program], {
    env: { ...process.env, HOWDAH_DATA: howdah.data.root },
    encoding: "utf8",
  });
  assert.deepEqual([head.status, head.stdout.split("\n").length, head.stderr], [0, 2, ""]);
});

test("logs lists what there is; daemons by a part of their name", async () => {
  const { stdout } = await run(["logs", clusterId]);
  assert.match(stdout, /^ {2}s-\w{13} {2}FAILED +fails +controller [\d.]+ k?B, stderr 7 B, stdout 1\.3 MB$/m);
  assert.match(stdout, /^ {2}hadoop-hdfs-datanode +core1 /m);
  const { files } = JSON.parse((await run(["logs", clusterId, "--node", "core", "--json"])).stdout);
  assert.ok(files.some((file: any) => file.of === "hadoop-yarn-nodemanager" && file.role === "CORE" && file.bytes > 0));
  const lines = (await run(["logs", clusterId, "--daemon", "namenode", "-n", "2"])).stdout.split("\n");
  assert.match(lines[0]!, /^==> .*hadoop-hdfs-namenode-ip-.*\.log <==$/);
  assert.match(
    (await run(["logs", clusterId, "--daemon", "hdfs"])).stderr,
    /several daemons. There are: hadoop-hdfs-datanode, hadoop-hdfs-namenode/,
  );
});

test("status: for people without control characters, for programs with pages that answer; events", async () => {
  const list = await run(["status"]);
  assert.match(
    list.stdout,
    new RegExp(`^Howdah is up at http://127\\.0\\.0\\.1:\\d+ [^]*^${clusterId}  (WAITING|RUNNING) +\\d+[smh] +2 nodes  comfort`, "m"),
  );
  const text = await until("a page that answers", async () => {
    const shown = await run(["status", clusterId]);
    return /^ {2}YARN ResourceManager +http:\/\/127\.[\d.]+:8088\/ +answers$/m.test(shown.stdout) && shown;
  });
  // oxlint-disable-next-line no-control-regex
  assert.doesNotMatch(list.stdout + text.stdout, /[\u0000-\u0009\u000b-\u001f]/);
  const whole = await until("pages that all answer", async () => {
    const told = JSON.parse((await run(["status", clusterId, "--json"])).stdout);
    return told.userInterfaces.length === 4 && told.userInterfaces.every(({ answers }: any) => answers) && told;
  });
  assert.deepEqual([whole.id, whole.name, whole.instances.length, whole.steps.at(-1).state], [clusterId, "comfort", 2, "FAILED"]);
  const all = JSON.parse((await run(["status", "--json"])).stdout);
  assert.deepEqual([all.up.endpoint, all.clusters.map(({ id }: any) => id)], [howdah.clientEnv.AWS_ENDPOINT_URL, [clusterId]]);
  const events = JSON.parse((await run(["events", "last", "--json"])).stdout);
  assert.ok(events.length > 0 && events.every(({ at, kind, message }: any) => Date.parse(at) > 0 && kind && message));
  const painted = openTerminal(["status", clusterId]);
  // oxlint-disable-next-line no-control-regex
  await painted.shows(/\u001b\]8;;http:\/\/127\.[\d.]+:8088\/\u001b\\/);
  assert.equal(await painted.ended, 0);
});

test("completion in bash: commands, options, clusters, steps and places of nodes", async () => {
  const script = await run(["completion", "bash"]);
  const complete = (line: string): string[] => {
    const words = line.split(" ");
    const asked = `eval "$SCRIPT"; COMP_WORDS=(${words.map((word) => `'${word}'`).join(" ")}); COMP_CWORD=${words.length - 1}; _howdah; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const env = { PATH: process.env.PATH ?? "", HOWDAH_DATA: howdah.data.root, SCRIPT: script.stdout };
    const { status, stdout, stderr } = spawnSync("bash", ["-c", asked], { env, encoding: "utf8" });
    assert.equal(status, 0, stderr);
    return stdout.split("\n").filter(Boolean);
  };
  assert.deepEqual(complete("howdah st"), ["status"]);
  assert.deepEqual(complete("howdah logs --f"), ["--follow"]);
  assert.deepEqual(complete("howdah status j-"), [clusterId]);
  assert.deepEqual(complete(`howdah ssh ${clusterId} `), ["master", "core1"]);
  assert.deepEqual(complete("howdah up --isolation "), ["view", "plain"]);
  const { Steps } = await howdah.aws("emr", "list-steps", "--cluster-id", clusterId);
  assert.deepEqual(
    complete(`howdah logs --data ${howdah.data.root} ${clusterId} s-`).toSorted(),
    Steps.map(({ Id }: any) => Id).toSorted(),
  );
  assert.ok(complete(`howdah logs ${clusterId} --daemon `).includes("hadoop-hdfs-namenode"));
});

test("a node that ends takes its shell along and leaves the terminal as it was", async () => {
  const terminal = openTerminal(["ssh", clusterId, "core1"]);
  await terminal.shows(/~\]\$ $/);
  await howdah.aws("emr", "terminate-clusters", "--cluster-ids", clusterId);
  assert.notEqual(await terminal.ended, 0);
  await terminal.shows(/echo is on\n/);
  const followed = await run(["events", clusterId, "-f"]);
  assert.deepEqual([followed.code, followed.stderr], [0, ""], "it ends with the cluster");
  const late = await run(["ssh", clusterId, "--", "true"]);
  assert.equal(late.code, 1);
  assert.match(late.stderr, /is TERMINATED: its nodes are gone/);
  assert.doesNotMatch((await run(["status"])).stdout, /comfort/);
  assert.match((await run(["status", "--all"])).stdout, /TERMINATED +\d+s ago +2 nodes {2}comfort/);
});
