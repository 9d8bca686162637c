/** Provider `local` in both degrees: the conformance suite, and what is particular to it. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { describe, it } from "node:test";
import { promisify } from "node:util";
import { volumeFolder } from "../../src/agent/layout.ts";
import { dataFolder } from "../../src/data-folder.ts";
import { foreignListeners } from "../../src/providers/local/listeners.ts";
import { bestDegree } from "../../src/providers/local/provider.ts";
import { loopsOf, ownFilesystems, tryLoopVolumes } from "../../src/providers/local/volumes.ts";
import type { LaunchSpec } from "../../src/providers/provider.ts";
import { createNodeHarness, eventually, launchSpec, manifest } from "./node-harness.ts";
import { providerConformance } from "./provider-conformance.ts";

const best = await bestDegree();

/** A daemon and a step that leave their session and process group, as Hadoop's containers do. */
async function occupy(harness: Awaited<ReturnType<typeof createNodeHarness>>, spec: LaunchSpec): Promise<void> {
  const log = join(harness.layout(spec.instanceId).logs, "stay.log");
  const settled = join(harness.layout(spec.instanceId).logs, `settled-${Date.now()}`);
  // Once it has settled its processes stay the same, so that they can be counted.
  const argv = ["bash", "-c", `trap '' TERM; setsid sleep 3600 & sleep 3600 & : > '${settled}'; wait`];
  harness.control().order(manifest(spec, { generation: Date.now(), daemons: [{ name: "stay", argv, log, ready: [], gate: true }] }));
  await harness.control().reported(spec.instanceId, "ready", ({ phase }) => phase === "ready");
  await eventually("the daemon's processes", () => existsSync(settled));
}

for (const degree of ["view", "plain"] as const) {
  if (degree === "view" && best.degree === "plain") {
    it(`provider local (view)`, { skip: best.reason }, () => {});
    continue;
  }
  for (const victim of ["init", "guard"] as const)
    providerConformance(`local (${degree}), ${victim} killed`, async () => {
      const harness = await createNodeHarness(degree);
      return {
        provider: harness.provider,
        create: harness.create,
        launchSpec,
        occupy: (spec) => occupy(harness, spec),
        kill(instanceId) {
          const { pid } = harness.init(instanceId);
          const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
          const parent = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
          process.kill(victim === "init" ? pid : parent, "SIGKILL");
        },
        processes: (instanceId) => harness.processes(instanceId).length,
        dispose: harness.dispose,
      };
    });
}

const noLoops = await tryLoopVolumes(dataFolder(tmpdir())).then(
  () => false as const,
  (error: Error) => error.message,
);

describe("local nodes", () => {
  for (const degree of ["view", "plain"] as const)
    it(
      `${degree}: volumes are filesystems of their sizes, which outlive a kill and leave nothing`,
      { skip: noLoops || (degree === "view" && best.degree === "plain") },
      async () => {
        const harness = await createNodeHarness(degree);
        const id = `i-0000000000000${degree === "view" ? "e0" : "e1"}0`;
        try {
          const spec = {
            ...launchSpec(await harness.provider.claimNetwork("j-DISKS", undefined), 1, "j-DISKS", id),
            volumes: [1 << 30, 100 << 20],
          };
          const layout = harness.layout(id);
          const [first, second] = [0, 1].map((index) => volumeFolder(layout, index));
          const look = async (generation: number) => {
            const log = join(layout.logs, `look-${generation}.log`);
            const script = `df --output=size -BM '${first}' '${second}' | tail -n +2 && cat '${first}/kept' || echo kept > '${first}/kept'; fallocate --length 100M '${second}/full'; echo over; exec sleep 3600`;
            harness.control().order(
              manifest(spec, {
                generation,
                daemons: [{ name: `look-${generation}`, argv: ["bash", "-c", script], log, ready: [], gate: true }],
              }),
            );
            return eventually(
              "its volumes to be looked at",
              () => existsSync(log) && /over/.test(readFileSync(log, "utf8")) && readFileSync(log, "utf8"),
            );
          };
          await harness.provider.launch(spec);
          assert.match(await look(1), /^ *(9\d\d|10[01]\d)M\n *[789]\dM\n/);
          assert.equal(loopsOf(layout).length, 2);
          await harness
            .control()
            .reported(id, "a volume that is full", ({ warnings }) => warnings.includes(`${id}: its volume /mnt1 is more than 90 % full`));
          assert.deepEqual(readdirSync(first!), [], "nobody but the node sees them");
          process.kill(harness.init(id).pid, "SIGKILL");
          await eventually("its end", async () => (await harness.provider.observe(id)) === "stopped");
          await harness.provider.launch(spec);
          assert.match(await look(2), /M\nkept\n/, "what was on a volume is there again");
          await harness.provider.terminate(id);
          assert.deepEqual(loopsOf(layout), []);
          await harness.provider.reclaim(id);
          assert.deepEqual(ownFilesystems(layout), []);
        } finally {
          await harness.dispose();
        }
      },
    );

  it("in plain, even both processes of the init killed at once leave nothing after terminate", async () => {
    const harness = await createNodeHarness("plain");
    try {
      const spec = launchSpec(await harness.provider.claimNetwork("j-BOTH", undefined), 1, "j-BOTH", "i-00000000000000b07");
      await harness.provider.launch(spec);
      await occupy(harness, spec);
      const { pid } = harness.init(spec.instanceId);
      const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
      const guard = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
      process.kill(guard, "SIGSTOP");
      process.kill(pid, "SIGKILL");
      process.kill(guard, "SIGKILL");
      await harness.provider.terminate(spec.instanceId);
      assert.deepEqual(harness.processes(spec.instanceId), []);
    } finally {
      await harness.dispose();
    }
  });

  it(
    "in view, a node has EMR's paths, its own name and files, and hides the data folder",
    { skip: best.degree === "plain" && best.reason },
    async () => {
      const harness = await createNodeHarness("view");
      try {
        const spec = launchSpec(await harness.provider.claimNetwork("j-VIEW", undefined), 7, "j-VIEW", "i-000000000000000fe");
        await harness.provider.launch(spec);
        const script = `set -e
        test "$(hostname)" = ${spec.hostname}; getent hosts "$(hostname)" | grep -q ${spec.address}; test "$(whoami)" = hadoop
        mkdir -p /app; touch /app/x /home/hadoop/x /mnt/var/log/x /usr/lib/x /etc/howdah-test /opt/x /var/tmp/x /dev/shm/howdah-test; sudo touch /usr/local/bin/howdah-test
        test -f $HOME/x; test ! -e ${harness.data.root}/howdah.db; test -r ${harness.data.endpoint}; test ! -w ${process.cwd()}
        test "$(sudo -u hdfs sh -c 'echo $HADOOP_USER_NAME')" = hdfs; chown hdfs:hadoop /home/hadoop/x
        test $$ -lt 1000; test -z "$(ls -A /tmp | grep howdah-nodes -v | grep howdah)"; echo well`;
        harness
          .control()
          .order(manifest(spec, { steps: [{ id: "s-VIEW", name: "look", fetch: [], argv: ["bash", "-c", script], env: {} }] }));
        const report = await harness.control().reported(spec.instanceId, "the step's end", ({ steps }) => steps[0]?.state === "exited");
        const { logs, home } = harness.layout(spec.instanceId);
        assert.equal(report.steps[0]!.exitCode, 0, readFileSync(join(logs, "steps/s-VIEW/stderr"), "utf8"));
        readFileSync(join(home, "x"));
        for (const path of ["/etc/howdah-test", "/usr/local/bin/howdah-test", "/dev/shm/howdah-test"])
          assert.throws(() => readFileSync(path), path);
      } finally {
        await harness.dispose();
      }
    },
  );

  it("works for a user without root too", { skip: process.getuid!() !== 0 && "it is one" }, async () => {
    const user = 61_234;
    const home = (await promisify(execFile)("mktemp", ["-d"])).stdout.trim();
    // The project and its Node may be where only root can go.
    const root = join(import.meta.dirname, "../..");
    const project = join(home, "project");
    await promisify(execFile)("mkdir", [project]);
    for (const part of ["src", "native", "test", "package.json"]) await promisify(execFile)("cp", ["-r", join(root, part), project]);
    await promisify(execFile)("cp", [process.execPath, join(home, "node")]);
    await promisify(execFile)("chown", ["-R", `${user}:${user}`, home]);
    try {
      const env = { ...process.env, HOME: home, TMPDIR: home, HOWDAH_CACHE: join(home, "cache") };
      const script = join(project, "test", "integration", "unprivileged-node.ts");
      const args = [
        `--reuid=${user}`,
        `--regid=${user}`,
        "--clear-groups",
        join(home, "node"),
        "--disable-warning=ExperimentalWarning",
        script,
      ];
      const { stdout } = await promisify(execFile)("setpriv", args, { env, timeout: 600_000 });
      assert.match(stdout, new RegExp(`^uid ${user}`));
      for (const degree of best.degree === "view" ? ["view", "plain"] : ["plain"]) assert.match(stdout, new RegExp(`${degree}: well`));
    } finally {
      await promisify(execFile)("rm", ["-rf", home]);
    }
  });

  it("names the program that has a port on all addresses", async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "0.0.0.0", resolve));
    const { port } = server.address() as AddressInfo;
    const local = createServer();
    await new Promise<void>((resolve) => local.listen(0, "127.0.0.1", resolve));
    const found = foreignListeners([port, (local.address() as AddressInfo).port]);
    assert.deepEqual(
      found.map(({ port, pid }) => ({ port, pid })),
      [{ port, pid: process.pid }],
    );
    server.close();
    local.close();
  });
});
