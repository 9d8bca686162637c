import assert from "node:assert/strict";
import { test } from "node:test";
import type { Tag } from "@aws-sdk/client-emr";
import fc from "fast-check";
import { create, type Harness, harness } from "./control-plane-harness.ts";

const tagsOf = async (h: Harness, ClusterId: string) => (await h.handlers.DescribeCluster!({ ClusterId }, h.request)).Cluster?.Tags;
const add = async (h: Harness, ResourceId: string, Tags: Tag[]) => h.handlers.AddTags!({ ResourceId, Tags }, h.request);
const remove = async (h: Harness, ResourceId: string, TagKeys: string[]) => h.handlers.RemoveTags!({ ResourceId, TagKeys }, h.request);

test("tags are what was put and not removed since, case and all", async () => {
  const h = await harness();
  const id = await create(h);
  const keys = ["a", "A", "team", "Ünï code", "constructor", "__proto__", "a:b/c=d+e-f@g.h_i"];
  const key = fc.constantFrom(...keys);
  const act = fc.oneof(
    fc.record({ put: fc.uniqueArray(fc.tuple(key, fc.constantFrom("", "1", "2")), { selector: ([name]) => name, minLength: 1 }) }),
    fc.record({ drop: fc.uniqueArray(key, { minLength: 1 }) }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(act, { maxLength: 8 }), async (acts) => {
      await remove(h, id, keys);
      const wanted = new Map<string, string>();
      for (const step of acts)
        if ("put" in step) {
          await add(
            h,
            id,
            step.put.map(([Key, Value]) => ({ Key, Value })),
          );
          for (const [name, value] of step.put) wanted.set(name, value);
        } else {
          await remove(h, id, step.drop);
          for (const name of step.drop) wanted.delete(name);
        }
      const tags = (await tagsOf(h, id)) ?? [];
      assert.equal(tags.length, wanted.size);
      assert.deepEqual(new Map(tags.map(({ Key, Value }) => [Key, Value])), wanted);
    }),
    { numRuns: 25 },
  );
});

test("a cluster has 50 tags at most, and those of AWS are not anybody's", async () => {
  const h = await harness();
  const id = await create(h);
  const some = (count: number, first = 0) => Array.from({ length: count }, (_, n) => ({ Key: `k${first + n}`, Value: "" }));
  await add(h, id, some(50));
  await add(h, id, [{ Key: "k7", Value: "anew" }]);
  await assert.rejects(add(h, id, some(1, 50)), { name: "InvalidRequestException", message: /at most 50, and would have 51/ });
  await assert.rejects(add(h, id, [{ Key: "aws:x", Value: "" }]), /'aws:x' begins with aws:, which is reserved/);
  await assert.rejects(remove(h, id, ["AWS:x"]), /'AWS:x' begins with aws:, which is reserved/);
  assert.equal((await tagsOf(h, id))?.length, 50);
});

test("a cluster that is not there or has ended takes no tags, and one that ends does", async () => {
  const h = await harness();
  const id = await create(h);
  await assert.rejects(add(h, "j-NONE", [{ Key: "a", Value: "" }]), /Cluster id 'j-NONE' is not valid/);
  await h.handlers.TerminateJobFlows!({ JobFlowIds: [id] }, h.request);
  await add(h, id, [{ Key: "a", Value: "" }]);
  for (let n = 0; n < 3; n++) {
    await h.settle();
    h.advance(60_000);
  }
  const refusal = { name: "InvalidRequestException", message: /cannot be modified on terminated clusters/ };
  await assert.rejects(add(h, id, [{ Key: "b", Value: "" }]), refusal);
  await assert.rejects(remove(h, id, ["a"]), refusal);
});
