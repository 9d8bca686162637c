import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { orSayWhatIsMissing } from "../../src/engines/absent.ts";

const run = (argv: string[], path = process.env.PATH) => {
  const [command = "", ...args] = argv;
  return spawnSync(command, args, { encoding: "utf8", env: { PATH: path } });
};

test("a command of an application that the cluster has, or of nobody's, stays as it is", () => {
  for (const [argv, applications] of [
    [["hive-script", "--args"], ["Hive"]],
    [["hive", "-e", "q"], ["HCatalog"]],
    [["hadoop", "fs"], []],
    [["bash", "-c", "hive"], ["Spark"]],
    [["mine"], []],
  ] as const)
    assert.deepEqual(orSayWhatIsMissing([...argv], applications), argv);
});

test("one of an application that it has not says so, unless the node has such a command all the same", () => {
  for (const [command, application] of Object.entries({
    "hive-script": "Hive",
    hcat: "HCatalog",
    hbase: "HBase",
    "spark-submit": "Spark",
  })) {
    const { status, stdout, stderr } = run(orSayWhatIsMissing([command, "a b", "$c"], ["Hadoop"]), "/usr/bin:/bin");
    const said = `${application} is not on this cluster: ${command} is there where the cluster's Applications name ${application}\n`;
    assert.deepEqual([status, stdout, stderr], [127, "", said]);
  }
  const folder = mkdtempSync(join(tmpdir(), "howdah-absent-"));
  try {
    writeFileSync(join(folder, "hive"), '#!/bin/sh\nprintf "%s|" "$@"\nexit 3\n', { mode: 0o755 });
    const { status, stdout } = run(orSayWhatIsMissing(["hive", "a b", "$c", ""], ["Spark"]), `${folder}:/usr/bin:/bin`);
    assert.deepEqual([status, stdout], [3, "a b|$c||"]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
