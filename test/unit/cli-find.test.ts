/** What people type for clusters and nodes. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { choose, chooseNode, type ClusterNode } from "../../src/cli/find.ts";

const clusters = ["j-BCD0000000001", "j-ABC0000000002", "j-ABD0000000003"].map((id) => ({ id }));
const kind = { prefix: "j-", noun: "cluster", label: ({ id }: { id: string }) => id, advice: "howdah status --all lists them" };

test("a cluster is known by its id, by a beginning that fits only one, and as the last", () => {
  for (const [text, id] of [
    ["j-ABC0000000002", "j-ABC0000000002"],
    ["j-ABC", "j-ABC0000000002"],
    ["abd", "j-ABD0000000003"],
    ["J-b", "j-BCD0000000001"],
    ["last", "j-BCD0000000001"],
  ])
    assert.equal(choose(text!, clusters, kind).id, id);
});

test("what fits several or none is refused, with those that are near", () => {
  assert.throws(() => choose("j-AB", clusters, kind), /beginning of several clusters: j-ABC0000000002, j-ABD0000000003$/);
  assert.throws(() => choose("j-ABC0000000020", clusters, kind), /no cluster j-ABC0000000020\. Did you mean j-ABC0000000002 or /);
  assert.throws(() => choose("j-ZZZZZZZZZZZZZ", clusters, kind), /no cluster j-ZZZZZZZZZZZZZ\. howdah status --all lists them/);
  for (const text of ["", "j-"]) assert.throws(() => choose(text, clusters, kind), /no cluster/);
  assert.throws(() => choose("last", [], kind), /There is none yet/);
});

test("a node is known by each of its names, and by its place", () => {
  const node = (role: ClusterNode["role"], n: number): ClusterNode => ({
    id: `i-${n}`,
    clusterInstanceId: `ci-${n}`,
    role,
    address: `127.64.1.${n}`,
    hostname: `ip-127-64-1-${n}`,
    instance: {} as ClusterNode["instance"],
  });
  const nodes = [node("MASTER", 1), node("CORE", 2), node("CORE", 3), node("TASK", 4)];
  for (const [text, id] of [
    ["i-3", "i-3"],
    ["ci-2", "i-2"],
    ["127.64.1.4", "i-4"],
    ["ip-127-64-1-3", "i-3"],
    ["ip-127-64-1-3.ec2.internal", "i-3"],
    ["master", "i-1"],
    ["core", "i-2"],
    ["core2", "i-3"],
    ["TASK1", "i-4"],
  ])
    assert.equal(chooseNode(nodes, text!).id, id, text);
  for (const text of ["core3", "core0", "i-", "127.64.1"])
    assert.throws(() => chooseNode(nodes, text), /There are: master i-1 127.64.1.1, /);
});
