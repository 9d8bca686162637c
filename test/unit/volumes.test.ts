/** The volumes of a node: from what was asked for or the instance type's own to what HDFS and YARN are told of them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { RunJobFlowOutput } from "@aws-sdk/client-emr";
import { nodeLayout } from "../../src/agent/layout.ts";
import { emrHandlers } from "../../src/api/emr/handlers.ts";
import { manifestFor } from "../../src/reconcile/manifest.ts";
import { reservedOf } from "../../src/reconcile/node-volumes.ts";
import { dataVolumes } from "../../src/releases/ebs.ts";
import { instancesOf } from "../../src/store/instances.ts";
import { harness } from "./control-plane-harness.ts";
import { installation } from "./engine-facts.ts";

const GiB = 2 ** 30;
const root = { VolumeType: "gp3", SizeInGB: 15 };
const ebs = (SizeInGB: number, VolumesPerInstance = 1) => ({ VolumeSpecification: { VolumeType: "gp3", SizeInGB }, VolumesPerInstance });

const group = (InstanceRole: "MASTER" | "CORE", more: object) => ({
  InstanceRole,
  InstanceCount: 1,
  InstanceType: "m5.xlarge",
  ...more,
});
const runInput = (...InstanceGroups: ReturnType<typeof group>[]) => ({
  Name: "volumes",
  ReleaseLabel: "emr-7.13.0",
  ServiceRole: "EMR_DefaultRole",
  JobFlowRole: "EMR_EC2_DefaultRole",
  Instances: { KeepJobFlowAliveWhenNoSteps: true, InstanceGroups },
});
const sources = {
  endpoint: "http://127.0.0.1:1",
  nodeFolder: (one: string) => `/nodes/${one}`,
  hostDisk: { bytes: 1000 * GiB, keptBytes: 50 * GiB },
  installation: () => installation,
  catalog: () => assert.fail("no catalog is asked for"),
};

test("a node has the instance stores of its type, then its EBS volumes", () => {
  assert.deepEqual(dataVolumes(null, "m5.xlarge", root), [32 * GiB, 32 * GiB]);
  assert.deepEqual(dataVolumes(null, "m5d.xlarge", root), [150e9]);
  assert.deepEqual(dataVolumes(null, "c3.2xlarge", root), [80e9, 80e9]);
  assert.deepEqual(dataVolumes({ EbsBlockDeviceConfigs: [ebs(10, 2), ebs(7)] }, "m5d.xlarge", root), [150e9, 10 * GiB, 10 * GiB, 7 * GiB]);
  assert.deepEqual(
    dataVolumes({ EbsBlockDeviceConfigs: [] }, "m5.xlarge", root),
    [15 * GiB],
    "what has no other volume keeps all on its root",
  );
});

test("HDFS gets no more of a folder than its volume has: the DataNode's own reckoning, of disks of any size", () => {
  for (const total of [40, 250, 1000, 8000])
    for (const kept of [0, 0.05 * total, 0.6 * total])
      for (const used of [5, 0.2 * (total - kept)]) {
        const reserved = reservedOf(32 * GiB, { bytes: total * GiB, keptBytes: kept * GiB }) / GiB;
        // FsVolumeImpl.getAvailable() of an empty DataNode.
        const free = total - used - kept - Math.max(0, reserved - used);
        assert.ok(Math.min(total - reserved, free) <= 32.0001, `${total} ${kept} ${used}`);
        if (total - kept - used > 32) assert.ok(free > 31.9999, `${total} ${kept} ${used}: all of its size is there`);
      }
});

test("HDFS and YARN use every volume of a node, each group those that it asked for", async () => {
  const h = await harness();
  const core3 = { EbsConfiguration: { EbsBlockDeviceConfigs: [ebs(100, 3)] } };
  const { JobFlowId = "" } = (await h.handlers.RunJobFlow!(
    runInput(group("MASTER", {}), group("CORE", core3)),
    h.request,
  )) as RunJobFlowOutput;
  await h.settle();
  const [master, core] = await instancesOf(h.store.db, JobFlowId);
  const settings = async (id: string, file: string) => {
    const manifest = await manifestFor(h.store.db, id, JobFlowId, sources);
    const { content = "" } = manifest!.files.find(({ path }) => path.endsWith(file))!;
    return new Map([...content.matchAll(/<name>([^<]*)<\/name><value>([^<]*)/g)].map(([, name, value]) => [name!, value!]));
  };
  const at = nodeLayout(`/nodes/${core!.id}`).root;
  const folders = ["data", "data1", "data2"].map((name) => `${at}/${name}`);
  const hdfs = await settings(core!.id, "hdfs-site.xml");
  assert.equal(hdfs.get("dfs.datanode.data.dir"), folders.map((one) => `file://${one}/hdfs/datanode`).join(","));
  for (const one of folders) assert.equal(hdfs.get(`dfs.datanode.du.reserved.${one}/hdfs/datanode`), String(850 * GiB));
  assert.equal(
    (await settings(core!.id, "yarn-site.xml")).get("yarn.nodemanager.local-dirs"),
    folders.map((one) => `${one}/yarn`).join(","),
  );
  assert.equal((await settings(master!.id, "hdfs-site.xml")).get("dfs.datanode.data.dir")?.split(",").length, 2);
  const { base } = (await manifestFor(h.store.db, core!.id, JobFlowId, sources))!;
  assert.deepEqual(
    base.flatMap(({ path, linkTo }) => (/^\/mnt\d/.test(path) ? [[path, linkTo]] : [])),
    [
      ["/mnt1", folders[1]],
      ["/mnt2", folders[2]],
    ],
  );
});

test("volumes that are filesystems of their own are launched by size, and full at EMR's 90 %", async () => {
  for (const volumes of ["folders", "loop"] as const) {
    const h = await harness();
    const handlers = emrHandlers({ store: h.store, ids: h.ids, releases: { substitute: false, missingApplications: "refuse" }, volumes });
    const { JobFlowId = "" } = (await handlers.RunJobFlow!(runInput(group("MASTER", {})), h.request)) as RunJobFlowOutput;
    await h.settle();
    const [master] = await instancesOf(h.store.db, JobFlowId);
    const isLoop = volumes === "loop";
    assert.deepEqual(h.provider.launched.get(master!.id)?.volumes, isLoop ? [32 * GiB, 32 * GiB] : undefined);
    const manifest = await manifestFor(h.store.db, master!.id, JobFlowId, sources);
    const value = (file: string, name: RegExp) => {
      const { content = "" } = manifest!.files.find(({ path }) => path.endsWith(file))!;
      return new RegExp(`${name.source}[^<]*</name><value>([^<]*)`).exec(content)?.[1];
    };
    assert.equal(value("yarn-site.xml", /max-disk-utilization/), isLoop ? "90" : "100");
    assert.equal(value("hdfs-site.xml", /du\.reserved/), isLoop ? "0" : String(918 * GiB));
  }
});
