import assert from "node:assert/strict";
import { test } from "node:test";
import { instanceType, instanceTypeNames } from "../../src/releases/instance-types.ts";

test("documented types have the documented settings", () => {
  assert.deepEqual(instanceType("m5.xlarge"), {
    name: "m5.xlarge",
    vcpu: 4,
    memoryMb: 16384,
    disks: 0,
    storageGb: 0,
    architecture: "X86_64",
    family: "GENERAL_CURRENT_GEN",
    is64BitsOnly: true,
    ebsOptimized: true,
    ebsOptimizedByDefault: true,
    ebsOnly: true,
    yarn: {
      nodeMemoryMb: 12288,
      minAllocationMb: 32,
      mapMemoryMb: 3072,
      mapJavaOpts: "-Xmx2458m",
      reduceMemoryMb: 6144,
      reduceJavaOpts: "-Xmx4916m",
      amMemoryMb: 6144,
    },
  });
  assert.equal(instanceType("nothing.large"), undefined);
  assert.equal(instanceType("toString"), undefined);
});

test("a derived type of the same size has the same settings as a documented one", () => {
  assert.equal(instanceType("m6i.xlarge")?.yarn.nodeMemoryMb, instanceType("m6g.xlarge")?.yarn.nodeMemoryMb);
  assert.equal(instanceType("m6i.4xlarge")?.yarn.mapMemoryMb, instanceType("m6g.4xlarge")?.yarn.mapMemoryMb);
});

test("every type can run a task of each kind", () => {
  for (const name of instanceTypeNames()) {
    const { yarn, memoryMb } = instanceType(name)!;
    assert.ok(yarn.nodeMemoryMb > 0 && yarn.nodeMemoryMb < memoryMb, name);
    for (const mb of [yarn.mapMemoryMb, yarn.reduceMemoryMb, yarn.amMemoryMb]) assert.ok(mb > 0 && mb <= yarn.nodeMemoryMb, name);
  }
});
