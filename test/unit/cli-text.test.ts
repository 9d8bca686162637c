/** What the CLI prints: ages, columns, states, lists; which package manager's command the doctor names. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { installCommand } from "../../src/cli/doctor.ts";
import type { DescribedCluster } from "../../src/cli/describe.ts";
import { sortOut } from "../../src/cli/log-files.ts";
import { daemonNamed } from "../../src/cli/log-selection.ts";
import { clusterText, listText } from "../../src/cli/status-text.ts";
import { age, bare, columns, size } from "../../src/cli/terminal.ts";
import { cacheLeftovers, withCacheLock } from "../../src/setup/cache.ts";

test("ages and sizes are short", () => {
  assert.deepEqual([0, 119_000, 120_000, 7_199_000, 7_200_000, 172_799_000, 172_800_000].map(age), [
    "0s",
    "119s",
    "2m",
    "119m",
    "2h",
    "47h",
    "2d",
  ]);
  assert.deepEqual([0, 999, 1000, 9_949, 12_345, 3_400_000].map(size), ["0 B", "999 B", "1.0 kB", "9.9 kB", "12 kB", "3.4 MB"]);
});

test("columns stand below each other whatever is painted", () => {
  const rows = [
    ["\u001B[32ma\u001B[39m", "one"],
    ["\u001B]8;;http://h/\u001B\\http://h/\u001B]8;;\u001B\\", "two"],
  ];
  assert.deepEqual(columns(rows, " ").map(bare), [" a          one", " http://h/  two"]);
});

const now = Date.parse("2026-01-02T00:00:00Z");
const cluster: DescribedCluster & { userInterfaces: { name: string; url: string; answers: boolean }[] } = {
  id: "j-A",
  provider: "local",
  name: "nightly",
  state: "RUNNING",
  reason: "Running step",
  releaseLabel: "emr-7.13.0",
  applications: ["Spark 3.5.6"],
  logUri: null,
  createdAt: "2026-01-01T23:55:00.000Z",
  readyAt: "2026-01-01T23:55:30.000Z",
  endedAt: null,
  userInterfaces: [{ name: "Spark history", url: "http://127.64.1.1:18080/", answers: false }],
  instances: [
    {
      id: "i-1",
      role: "MASTER",
      address: "127.64.1.1",
      state: "RUNNING",
      unhealthy: null,
      daemons: [
        { name: "namenode", state: "ready" },
        { name: "history", state: "starting" },
      ],
    },
  ],
  groups: [{ id: "ig-1", role: "MASTER", name: "Master", state: "RUNNING", requested: 1, running: 1, isFleet: false }],
  steps: Array.from({ length: 14 }, (_, i) => ({
    id: `s-${i}`,
    name: `n${i}`,
    state: i === 13 ? ("RUNNING" as const) : ("FAILED" as const),
    startedAt: "2026-01-01T23:56:00.000Z",
    endedAt: i === 13 ? null : "2026-01-01T23:56:05.000Z",
    failure: i === 13 ? null : { Reason: "Unknown Error.", Message: `no elephant ${i}` },
  })),
  warnings: ["market SPOT has no effect"],
};

test("a resize in progress is shown, and nodes that have left are not", () => {
  const task = { id: "ig-2", role: "TASK", name: "Task", state: "RESIZING", requested: 3, running: 1, isFleet: false } as const;
  const gone = { id: "i-2", role: "TASK", address: "127.64.1.2", state: "TERMINATED", unhealthy: null, daemons: [] } as const;
  const text = bare(
    clusterText({ ...cluster, groups: [...cluster.groups, task], instances: [...cluster.instances, { ...gone, daemons: [] }] }, now),
  );
  assert.match(text, /Groups\n {2}task +ig-2 +RESIZING +1 running, 3 asked for\nNodes\n/);
  assert.doesNotMatch(text, /i-2/);
});

test("a cluster's status: what matters first, the last steps, why they failed", () => {
  const lines = bare(clusterText(cluster, now)).split("\n");
  assert.deepEqual(lines.slice(0, 8), [
    "j-A  nightly  RUNNING  Running step",
    "  emr-7.13.0, Spark 3.5.6; created 5m ago, ready after 30s",
    "Warnings",
    "  market SPOT has no effect",
    "Pages",
    "  Spark history  http://127.64.1.1:18080/  no answer",
    "Nodes",
    "  master  i-1  127.64.1.1  RUNNING  1 of 2 daemons ready; history starting",
  ]);
  assert.equal(lines[8], "Steps  the last 12 of 14");
  assert.deepEqual(lines.slice(9, 11), ["  s-2   FAILED   5s  n2", "    Unknown Error. no elephant 2"]);
  assert.equal(lines.at(-2), "  s-13  RUNNING  4m  n13");
});

test("the list of clusters: those that live, and how many do not", () => {
  const ended = { ...cluster, id: "j-B", state: "TERMINATED" as const, endedAt: "2026-01-01T22:00:00.000Z" };
  assert.equal(
    bare(
      listText(
        "/data",
        { endpoint: "http://127.0.0.1:1", pid: 2 },
        [{ accountId: "1234", pid: 7, answers: true }],
        [cluster, ended],
        1,
        now,
      ),
    ),
    [
      "Howdah is up at http://127.0.0.1:1 (process 2), data in /data",
      "The Glue catalog of account 1234: its metastore answers (process 7)",
      "j-A  RUNNING     5m      1 node  nightly  1 warning",
      "j-B  TERMINATED  2h ago  1 node  nightly",
      "1 ended cluster: howdah status --all",
    ].join("\n"),
  );
  assert.match(bare(listText("/data", null, [], [], 0, now)), /not running.*howdah up --detach$/);
});

test("a log is known by what wrote it", () => {
  const of = (path: string) => {
    const { kind, of, name, rolled } = sortOut(path.split("/"));
    return [kind, of, name, rolled];
  };
  assert.deepEqual(of("steps/s-1/stderr"), ["step", "s-1", "stderr", false]);
  assert.deepEqual(of("bootstrap-actions/2/stdout"), ["bootstrap-action", "2", "stdout", false]);
  assert.deepEqual(of("userlogs/application_1_0001/container_1/stdout"), [
    "application",
    "application_1_0001",
    "container_1/stdout",
    false,
  ]);
  assert.deepEqual(of("hadoop-hdfs/hadoop-hdfs-namenode-ip-127-64-1-1.log"), ["daemon", "hadoop-hdfs-namenode", "log", false]);
  assert.deepEqual(of("hadoop-hdfs/hadoop-hdfs-namenode-ip-127-64-1-1.log.2"), ["daemon", "hadoop-hdfs-namenode", "log", true]);
  assert.deepEqual(of("howdah-agent.log"), ["daemon", "howdah-agent", "log", false]);
});

test("a daemon is known by a part of its name that only one has", () => {
  const names = ["hadoop-hdfs-datanode", "hadoop-hdfs-namenode", "hadoop-hdfs-secondarynamenode"];
  assert.equal(daemonNamed(names, "namenode"), "hadoop-hdfs-namenode");
  assert.equal(daemonNamed(names, "data"), "hadoop-hdfs-datanode");
  assert.throws(() => daemonNamed(names, "hdfs"), /several daemons\. There are: hadoop-hdfs-datanode, /);
  assert.throws(() => daemonNamed(names, "hive"), /no daemon hive.* There are: hadoop-hdfs-datanode, /);
});

test("the doctor names one command for all that is missing, where it knows the package manager", () => {
  const on = (manager: string) => (path: string) => path === `/usr/bin/${manager}`;
  assert.equal(installCommand(["jdk", "maven"], on("apt-get")), "sudo apt-get install openjdk-17-jdk-headless maven");
  assert.equal(installCommand(["python"], on("dnf")), "sudo dnf install python3.12");
  assert.equal(installCommand(["jdk"], on("apk")), undefined);
  assert.equal(installCommand([], on("dnf")), undefined);
});

test("what cut-off set-ups left is found, not what one that runs is making", async () => {
  const cache = mkdtempSync(join(tmpdir(), "howdah-cache-"));
  try {
    assert.deepEqual(cacheLeftovers(cache), []);
    mkdirSync(join(cache, "tmp", "cut-off"), { recursive: true });
    assert.deepEqual(cacheLeftovers(cache), ["cut-off"]);
    await withCacheLock(
      cache,
      () => {},
      async () => {
        mkdirSync(join(cache, "tmp", "at-work"), { recursive: true });
        assert.deepEqual(cacheLeftovers(cache), []);
      },
    );
  } finally {
    rmSync(cache, { recursive: true, force: true });
  }
});
