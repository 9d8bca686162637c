/** The nodes' commands that change what was typed, run with stand-ins for what they call. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";

const root = mkdtempSync(join(tmpdir(), "howdah-launchers-"));
after(() => rmSync(root, { recursive: true, force: true }));

const words = (line: string) => line.split(" ");

const engines = join(import.meta.dirname, "..", "..", "src", "engines");
const bin = (engine: string) => join(root, engine, "bin");
for (const engine of ["hadoop", "spark"]) cpSync(join(engines, engine, "bin"), bin(engine), { recursive: true });

/** Prints what it was called with, an argument a line. */
function standIn(path: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, '#!/bin/sh\nprintf "%s\\n" "$@"\n');
  chmodSync(path, 0o755);
}
standIn(join(bin("hadoop"), "hadoop"));
standIn(join(bin("spark"), "spark-submit"));
const examples = join(root, "spark", "examples", "src", "main", "python");
for (const name of ["pi", "logistic_regression", "ml/kmeans_example", "streaming/network_wordcount"]) {
  mkdirSync(dirname(join(examples, name)), { recursive: true });
  writeFileSync(join(examples, `${name}.py`), "");
}

test("hadoop-streaming brings scripts from S3, and Hadoop's general options come first", () => {
  const said = (...args: string[]) =>
    execFileSync(join(bin("hadoop"), "hadoop-streaming"), args, { encoding: "utf8" })
      .split("\n")
      .slice(2, -1);
  assert.deepEqual(said("-D", "a=b c", "-input", "in", "-mapper", "s3://b/dir/m.py -x 1", "-reducer", "s3n://b/r.py"), [
    "-files",
    "s3://b/dir/m.py,s3n://b/r.py",
    "-D",
    "a=b c",
    ...words("-input in -mapper"),
    "m.py -x 1",
    ...words("-reducer r.py"),
  ]);
  assert.deepEqual(
    said("-files", "s3://b/m.py", "-mapper", "s3://b/m.py", "-combiner", "cat", "-verbose"),
    words("-files s3://b/m.py -mapper m.py -combiner cat -verbose"),
  );
  assert.deepEqual(said("-mapper", "cat", "-files"), ["-mapper", "cat", "-files"]);
});

test("spark-example finds the Python example that has the name of Scala's or Java's", () => {
  const run = (...args: string[]) => spawnSync(join(bin("spark"), "spark-example"), args, { encoding: "utf8" });
  const said = (...args: string[]) =>
    run(...args)
      .stdout.replaceAll(`${examples}/`, "")
      .split("\n")
      .slice(0, -1);
  assert.deepEqual(said("SparkPi", "10"), ["pi.py", "10"]);
  assert.deepEqual(said("--deploy-mode", "cluster", "--conf=a=b c", "org.apache.spark.examples.SparkLR"), [
    "--deploy-mode",
    "cluster",
    "--conf=a=b c",
    "logistic_regression.py",
  ]);
  assert.deepEqual(said("ml.KMeansExample"), ["ml/kmeans_example.py"]);
  assert.deepEqual(said("streaming.JavaNetworkWordCount", "h", "1"), ["streaming/network_wordcount.py", "h", "1"]);
  assert.deepEqual(said("pi.py"), ["pi.py"]);
  for (const args of [["SparkNothing"], [], ["--conf"]]) {
    const { status, stderr } = run(...args);
    assert.equal(status, 1, args.join(" "));
    assert.match(stderr, /error: .*\nNAME is one of: logistic_regression ml\/kmeans_example pi streaming\/network_wordcount/);
  }
});
