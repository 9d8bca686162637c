import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { ReleaseLabelFilter, SupportedInstanceType } from "@aws-sdk/client-emr";
import { readConfig } from "../../src/config.ts";
import { applicationsOf, findRelease, nearestRelease, releaseLabels } from "../../src/releases/release.ts";
import { eventsOf } from "../../src/store/events.ts";
import { create, type Harness, harness } from "./control-plane-harness.ts";

const label = releaseLabels()[0]!;

const labels = async (h: Harness, Filters?: ReleaseLabelFilter) =>
  (await h.handlers.ListReleaseLabels!({ Filters }, h.request)).ReleaseLabels;

test("ListReleaseLabels has the labels that are locked, by prefix and by application with or without the version that runs", async () => {
  const h = await harness();
  assert.deepEqual(await labels(h), releaseLabels());
  assert.deepEqual(await labels(h, { Prefix: "emr-7" }), [label]);
  assert.deepEqual(await labels(h, { Prefix: "emr-spark-" }), ["emr-spark-8.0.0"]);
  assert.deepEqual(await labels(h, { Prefix: "emr-5" }), []);
  assert.deepEqual(await labels(h, { Application: "Spark" }), releaseLabels());
  assert.deepEqual(await labels(h, { Application: `spark@${findRelease(label)!.spark.version}`, Prefix: "emr" }), [label]);
  assert.deepEqual(await labels(h, { Application: "spark@2.1.0" }), []);
  assert.deepEqual(await labels(h, { Application: "presto" }), []);
  await assert.rejects(async () => h.handlers.ListReleaseLabels!({ NextToken: "@" }, h.request), /NextToken '@' is not valid/);
});

test("DescribeReleaseLabel has the versions that truly run, page by page, and no Amazon Linux", async () => {
  const h = await harness();
  const described = await h.handlers.DescribeReleaseLabel!({ ReleaseLabel: label }, h.request);
  assert.deepEqual(described, {
    ReleaseLabel: label,
    Applications: Object.entries(applicationsOf(findRelease(label)!)).map(([Name, Version]) => ({ Name, Version })),
    NextToken: undefined,
    AvailableOSReleases: [],
  });
  const one = await h.handlers.DescribeReleaseLabel!({ ReleaseLabel: label, MaxResults: 1 }, h.request);
  const rest = await h.handlers.DescribeReleaseLabel!({ ReleaseLabel: label, NextToken: one.NextToken }, h.request);
  assert.deepEqual([...one.Applications!, ...rest.Applications!], described.Applications);
  await assert.rejects(
    async () => h.handlers.DescribeReleaseLabel!({ ReleaseLabel: "emr-5.36.0" }, h.request),
    new RegExp(`invalid: emr-5.36.0. Howdah runs exactly: ${releaseLabels().join(", ")}`),
  );
  await assert.rejects(async () => h.handlers.DescribeReleaseLabel!({}, h.request), /ReleaseLabel is required/);
});

test("ListSupportedInstanceTypes has every type once, page by page, with what EMR says of it", async () => {
  const h = await harness();
  const types: SupportedInstanceType[] = [];
  for (let Marker: string | undefined, first = true; first || Marker; first = false) {
    const page = await h.handlers.ListSupportedInstanceTypes!({ ReleaseLabel: label, Marker }, h.request);
    types.push(...page.SupportedInstanceTypes!);
    Marker = page.Marker;
  }
  assert.equal(new Set(types.map(({ Type }) => Type)).size, types.length);
  assert.ok(types.length > 700);
  assert.deepEqual(
    types.find(({ Type }) => Type === "c1.medium"),
    {
      Type: "c1.medium",
      MemoryGB: 1.7,
      StorageGB: 350,
      VCPU: 2,
      Is64BitsOnly: false,
      InstanceFamilyId: "COMPUTE_PREVIOUS_GEN",
      EbsOptimizedAvailable: false,
      EbsOptimizedByDefault: false,
      NumberOfDisks: 1,
      EbsStorageOnly: false,
      Architecture: "X86_64",
    },
  );
  assert.equal(types.find(({ Type }) => Type === "m6g.xlarge")?.Architecture, "AARCH64");
  const marker = Buffer.from(JSON.stringify("m99.huge")).toString("base64url");
  for (const [input, message] of [
    [{ ReleaseLabel: "emr-6.0.0" }, /Howdah runs exactly/],
    [{ ReleaseLabel: label, Marker: marker }, /Marker '.*' is not valid/],
  ] as const)
    await assert.rejects(async () => h.handlers.ListSupportedInstanceTypes!(input, h.request), message);
});

test("a label that is not locked is refused, or runs as the nearest one with a warning where the operator says so; a malformed one never", async () => {
  const h = await harness();
  await assert.rejects(
    create(h, { ReleaseLabel: "emr-5.36.0" }),
    new RegExp(`emr-5.36.0. Howdah runs exactly: ${label}.*releases.*substitute`),
  );
  h.releases.substitute = true;
  const id = await create(h, { ReleaseLabel: "emr-5.36.0", Applications: [{ Name: "Spark" }] });
  const { Cluster } = await h.handlers.DescribeCluster!({ ClusterId: id }, h.request);
  assert.equal(Cluster?.ReleaseLabel, label);
  assert.equal(Cluster.Applications?.find(({ Name }) => Name === "Spark")?.Version, findRelease(label)?.spark.version);
  const warnings = (await eventsOf(h.store.db, id)).filter(({ kind }) => kind === "warning").map(({ message }) => message);
  assert.match(
    warnings.join("\n"),
    new RegExp(`ReleaseLabel emr-5.36.0 is not in this Howdah: ${label} RUNS INSTEAD, with .*Hadoop .* and Spark`),
  );
  for (const malformed of ["emr-7", "emr-7.x.0", "7.13.0", "emr-7.13.0 ", "latest"])
    await assert.rejects(create(h, { ReleaseLabel: malformed }), /release label is invalid: .*A label looks like emr-/, malformed);
  const locked = await create(h, { ReleaseLabel: label });
  assert.ok(!(await eventsOf(h.store.db, locked)).some(({ message }) => message.includes("INSTEAD")));
  assert.equal((await h.handlers.DescribeReleaseLabel!({ ReleaseLabel: "emr-6.1.0" }, h.request)).ReleaseLabel, label);
  assert.equal(nearestRelease("emr-999.0.0").label, label);
  assert.equal(nearestRelease("emr-8.0.0").label, label, "the numbers of emr-spark- are others");
  assert.equal(nearestRelease("emr-spark-7.13.0").label, "emr-spark-8.0.0");
});

test("howdah.json: releases.substitute is off where it is not set", () => {
  const folder = mkdtempSync(join(tmpdir(), "howdah-config-"));
  const path = join(folder, "howdah.json");
  try {
    assert.equal(readConfig(path).releases.substitute, false);
    writeFileSync(path, '{"releases": {"substitute": true}}');
    assert.equal(readConfig(path).releases.substitute, true);
    writeFileSync(path, '{"releases": {"substitutes": true}}');
    assert.throws(() => readConfig(path), /substitutes/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
