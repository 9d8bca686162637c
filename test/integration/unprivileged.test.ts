/**
 * A whole cluster of a user without root. The test is run by root, as CI does: in a mount namespace where root's home, with the cache of engines in
 * it, can be entered, it goes on as another user. That user has no place but its home to write to.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { bestDegree } from "../../src/providers/local/degree.ts";
import { startHowdah } from "./howdah.ts";
import { command, createDriver } from "./survival-harness.ts";

const user = 54_321;
const inside = process.env.HOWDAH_TEST_USER !== undefined;
const best = await bestDegree();
const skip = process.getuid!() !== 0 && !inside ? "it is run by another user already" : best.degree === "plain" && best.reason;

if (inside) test("a cluster", asThatUser);
else
  test("a user without root has clusters with EMR's own paths, sudo and pip", { skip }, () => {
    const folder = mkdtempSync(join(tmpdir(), "howdah-user-"));
    try {
      chmodSync(folder, 0o755);
      const [upper, work, home] = ["upper", "work", "home"].map((name) => join(folder, name)) as [string, string, string];
      for (const one of [upper, work, home]) mkdirSync(one, { mode: 0o755 });
      chownSync(home, user, user);
      const script =
        'mount -t overlay overlay -o "lowerdir=$1,upperdir=$2,workdir=$3" "$1" && exec setpriv --reuid="$4" --regid="$4" --clear-groups "$5" --disable-warning=ExperimentalWarning --test-reporter=spec "$6"';
      const argv = ["-m", "bash", "-c", script, "bash", homedir(), upper, work, String(user), process.execPath, import.meta.filename];
      const cache = process.env.HOWDAH_CACHE ?? join(homedir(), ".cache", "howdah");
      const env = { ...process.env, HOWDAH_TEST_USER: "", HOWDAH_CACHE: cache, HOME: home, TMPDIR: home, NODE_TEST_CONTEXT: undefined };
      const { status, stdout, stderr } = spawnSync("unshare", argv, { env, encoding: "utf8", timeout: 900_000 });
      assert.equal(status, 0, `${stdout}\n${stderr}`);
      assert.match(stdout, /pass 1\n/);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

async function asThatUser(): Promise<void> {
  assert.equal(process.getuid!(), user);
  const howdah = await startHowdah();
  const on = createDriver(howdah);
  try {
    await howdah.aws("s3", "mb", "s3://work");
    const bootstrap = join(howdah.data.root, "bootstrap.sh");
    writeFileSync(bootstrap, "#!/bin/bash -e\nsudo pip3 install tabulate\nsudo mkdir -p /opt/mine\ntest $(whoami) = hadoop\n");
    await howdah.aws("s3", "cp", bootstrap, "s3://work/bootstrap.sh");
    const id = await on.create(2, "--applications", "Name=Spark", "--bootstrap-actions", "Path=s3://work/bootstrap.sh");
    await on.reaches(id, "WAITING");
    const pi = "/usr/lib/spark/examples/src/main/python/pi.py";
    const words = "hadoop fs -mkdir -p words && echo one two two | hadoop fs -put - words/in";
    const count = `hadoop-streaming -mapper "tr ' ' '\\n'" -reducer 'uniq -c' -input words -output s3://work/counts`;
    const spark = await on.addStep(id, command("spark", "spark-submit", "--deploy-mode", "cluster", pi, "2"));
    const streaming = await on.addStep(id, command("streaming", "bash", "-c", `ls -d /opt/mine && ${words} && ${count}`));
    for (const step of [spark, streaming]) {
      const end = await on.stepEnd(id, step);
      assert.equal(end.State, "COMPLETED", JSON.stringify(end));
    }
    assert.match(await howdah.aws("s3", "cp", "s3://work/counts/part-00000", "-"), /1 one\s+2 two/);
    await on.terminate(id);
    await on.reaches(id, "TERMINATED");
  } finally {
    await howdah.stop();
  }
}
