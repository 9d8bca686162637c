/** A real node whose volumes are filesystems of their own: their sizes, full ones, kills, a broken one, and that nothing is left of them. Root only. */
import assert from "node:assert/strict";
import { execFile, execFileSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { after, test } from "node:test";
import { promisify } from "node:util";
import { nodeLayout } from "../../src/agent/layout.ts";
import type { DrillReport } from "../../src/cli/drill.ts";
import { initOf } from "../../src/providers/local/provider.ts";
import { loopsOf } from "../../src/providers/local/volumes.ts";
import { engineCluster } from "./engine-cluster.ts";
import { eventMessages, startHowdah, until } from "./howdah.ts";

/** A health script of the user's own: it says what a file has. */
const ownHealth = {
  Classification: "yarn-site",
  Properties: {
    "yarn.nodemanager.health-checker.script.path": "/usr/bin/env",
    "yarn.nodemanager.health-checker.script.opts": "cat,/tmp/health",
  },
};

const isRoot = process.getuid?.() === 0;
const hasLoops = readdirSync("/dev").includes("loop-control");

test(
  "volumes are as large as they say, full and broken ones are told of, and all of it goes",
  { timeout: 400_000, skip: !(isRoot && hasLoops) },
  async (t) => {
    const howdah = await startHowdah({ config: { volumes: "loop" } });
    after(() => howdah.stop());
    const { id, on } = await engineCluster(howdah, { applications: ["Hadoop"], configurations: [ownHealth], bucket: "volumes" });
    const { Instances } = await howdah.aws("emr", "list-instances", "--cluster-id", id, "--instance-group-types", "CORE");
    const [{ Ec2InstanceId: core, EbsVolumes }] = Instances;
    const { Volumes } = await howdah.aws("ec2", "describe-volumes", "--volume-ids", ...EbsVolumes.map((one: any) => one.VolumeId));
    assert.deepEqual(
      Volumes.map((one: any) => one.Size),
      [32, 32],
    );
    const sizes = on("core1", "df --output=size -B1G /mnt1/ /mnt/hdfs/ | tail -n +2").trim().split(/\s+/).map(Number);
    assert.ok(sizes.length === 2 && sizes.every((size) => size >= 31 && size <= 32), String(sizes));
    const layout = nodeLayout(howdah.data.node(core));
    assert.equal(loopsOf(layout).length, 2);

    on("core1", "echo kept | hdfs dfs -put - /kept");
    const { stdout } = await promisify(execFile)(process.execPath, [
      join(import.meta.dirname, "..", "..", "bin", "howdah.js"),
      ..."drill disk-full --seconds 20 --json".split(" "),
      id,
      core,
      "--data",
      howdah.data.root,
    ]);
    const report = JSON.parse(stdout) as DrillReport;
    t.diagnostic(JSON.stringify(report));
    assert.equal(report.outcome, "well again, with the same node");
    assert.ok(
      report.happenings.some(({ what }) => what.includes("UNHEALTHY")),
      "YARN gave it no more work",
    );
    const events = eventMessages(howdah, id, "instance");
    assert.ok(
      events.some((text) => /is unhealthy: .*2\/2 local-dirs/.test(text)),
      events.join("\n"),
    );
    assert.ok(
      events.some((text) => text.startsWith(`${core} is healthy`)),
      events.join("\n"),
    );

    const init = initOf(layout)!;
    process.kill(init.pid, "SIGKILL");
    await until("its init to be started again", async () => initOf(layout) && initOf(layout)!.pid !== init.pid);
    await until("the file to be there again", async () => {
      try {
        return on("core1", "hdfs dfs -cat /kept") === "kept\n";
      } catch {
        return false; // HDFS does not have the node back yet.
      }
    });
    assert.equal(loopsOf(layout).length, 2);

    const isTold = (why: string) => async () =>
      eventMessages(howdah, id, "instance").some((text) => text.includes(`${core} is unhealthy: hadoop-yarn-nodemanager: ERROR ${why}`));
    on("core1", "echo ERROR it is my turn >/tmp/health");
    await until("the user's own script to count", isTold("it is my turn"));
    on("core1", "rm /tmp/health");

    // An error of one disk: its filesystem takes no writes from then on. Its mount does not say so.
    const [loop] = loopsOf(layout);
    const name = basename(readFileSync(join("/sys/block", loop!, "loop", "backing_file"), "utf8").trim(), ".ext4");
    const remount = ["-o", "remount,errors=remount-ro", join(layout.root, name)];
    execFileSync("nsenter", ["--target", String(initOf(layout)!.pid), "--mount", "mount", ...remount]);
    writeFileSync(join("/sys/fs/ext4", loop!, "trigger_fs_error"), "1");
    const broken = `volume ${name.replace("data", "/mnt")} takes no writes: Read-only file system`;
    const began = performance.now();
    await until("YARN to give it no work", isTold(broken));
    t.diagnostic(`a volume that takes no writes is told of after ${((performance.now() - began) / 1000).toFixed(1)} s`);
    assert.match(on("master", "yarn node -list -states UNHEALTHY 2>/dev/null"), /Total Nodes:1/);
    assert.ok(eventMessages(howdah, id, "warning").some((text) => text.endsWith(`its ${broken}`)));
    assert.equal(on("master", "hdfs dfs -cat /kept"), "kept\n", "what it has can still be read");
    await howdah.aws("emr", "terminate-clusters", "--cluster-ids", id);
    await until("its volumes to be gone", async () => !/howdah-test/.test(loopFiles()));
  },
);

const loopFiles = () =>
  readdirSync("/sys/block")
    .map((name) => {
      try {
        return readFileSync(join("/sys/block", name, "loop", "backing_file"), "utf8");
      } catch {
        return "";
      }
    })
    .join("");
