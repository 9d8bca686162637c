/**
 * The machine's clock is set, hours on and back, while a cluster starts, works and ends. All of it, clients too, is in a mount namespace whose
 * /etc/ld.so.preload has a clock that the test can set (clock.c); nobody else's changes.
 */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { bestDegree } from "../../src/providers/local/degree.ts";
import { findCompiler } from "../../src/native/build.ts";
import { startHowdah, until } from "./howdah.ts";
import { command, createDriver } from "./survival-harness.ts";

const inside = process.env.HOWDAH_TEST_CLOCK !== undefined;
const [clockFile, clockLibrary] = ["/etc/howdah-test-clock", "/etc/howdah-test-clock.so"];
const best = await bestDegree();

if (inside) test("a cluster", onThatClock);
else
  test("a clock that is set, on or back, ends no wait and loses no step", { skip: best.degree === "plain" && best.reason }, async () => {
    // Not in /tmp, which may be a tmpfs that no overlay can have its upper layer on.
    const folder = mkdtempSync(join(homedir(), ".howdah-clock-"));
    try {
      const [upper, work] = [join(folder, "upper"), join(folder, "work")];
      for (const one of [upper, work]) mkdirSync(one);
      const name = (path: string) => join(upper, path.slice("/etc/".length));
      const [compiler = "", ...options] = await findCompiler(folder);
      const source = join(import.meta.dirname, "clock.c");
      execFileSync(compiler, [...options, "-O2", "-shared", "-fPIC", `-DCLOCK_FILE="${clockFile}"`, "-o", name(clockLibrary), source]);
      writeFileSync(name(clockFile), Buffer.alloc(8));
      writeFileSync(name("/etc/ld.so.preload"), `${clockLibrary}\n`);
      const script =
        'mount -t overlay overlay -o "lowerdir=/etc,upperdir=$1,workdir=$2" /etc && exec "$3" --disable-warning=ExperimentalWarning --test-reporter=spec "$4"';
      const argv = ["-Urm", "bash", "-c", script, "bash", upper, work, process.execPath, import.meta.filename];
      const env = { ...process.env, HOWDAH_TEST_CLOCK: "", NODE_TEST_CONTEXT: undefined };
      const { status, stdout, stderr } = spawnSync("unshare", argv, { env, encoding: "utf8", timeout: 900_000 });
      assert.equal(status, 0, `${stdout}\n${stderr}`);
      assert.match(stdout, /pass 1\n/);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

/** In the same file, not by another in its place: who has it mapped sees it. */
function setClock(hoursAhead: number): void {
  const seconds = Buffer.alloc(8);
  seconds.writeBigInt64LE(BigInt(hoursAhead * 3600));
  const fd = openSync(clockFile, "r+");
  writeSync(fd, seconds, 0, 8, 0);
  closeSync(fd);
}

async function onThatClock(): Promise<void> {
  const real = Number(execFileSync("stat", ["-c", "%Y", "/proc/self"], { encoding: "utf8" }));
  setClock(3);
  assert.ok(Date.now() / 1000 - real > 10_000, "the clock can be set");
  setClock(0);
  const howdah = await startHowdah();
  const on = createDriver(howdah);
  try {
    await howdah.aws("s3", "mb", "s3://work");
    const id = await on.create(1, "--applications", "Name=Spark");
    await until("an instance", async () => (await on.instancesOf(id)).length > 0);
    setClock(5);
    await on.reaches(id, "WAITING");

    const pi = `${howdah.installation.spark.home}/examples/src/main/python/pi.py`;
    const spark = await on.addStep(
      id,
      command("pi", "bash", "-c", `echo ran >> ran; spark-submit ${pi} 2 && hadoop fs -put ran s3://work/ran`),
    );
    await until("its application", async () => /Submitted application/.test(await on.stepOutput(spark, "stderr").catch(() => "")));
    setClock(-4);
    const end = await on.stepEnd(id, spark);
    assert.equal(end.State, "COMPLETED", JSON.stringify(end));
    assert.equal(await howdah.aws("s3", "cp", "s3://work/ran", "-"), "ran\n");
    const waits = await on.addStep(id, command("sleeps", "bash", "-c", "sleep 3; aws s3 ls s3://work/; echo ran >> ran; cat ran"));
    await until("its run", async () => (await on.stepStatus(id, waits)).State === "RUNNING");
    setClock(2);
    assert.equal((await on.stepEnd(id, waits)).State, "COMPLETED");
    assert.deepEqual((await on.stepOutput(waits)).match(/^ran$/gm), ["ran"]);

    await on.terminate(id);
    setClock(-1);
    await on.reaches(id, "TERMINATED");
    const logs = JSON.stringify(await howdah.aws("s3api", "list-objects-v2", "--bucket", "work", "--prefix", `logs/${id}/`));
    for (const part of [`steps/${waits}/stdout.gz`, "/applications/hadoop-yarn/", "containers/application_"])
      assert.ok(logs.includes(part), `${part}: ${logs}`);
  } finally {
    await howdah.stop();
  }
}
