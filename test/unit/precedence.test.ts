import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { pino } from "pino";
import type { WholeAnswer, WholeRequest } from "../../src/api/http.ts";
import { systemClock } from "../../src/clock.ts";
import { createPrecedence } from "../../src/precedence.ts";
import { createLoop } from "../../src/reconcile/loop.ts";
import { openStore } from "../../src/store/store.ts";

const request: WholeRequest = {
  method: "POST",
  url: "/",
  rawHeaders: [],
  body: new Uint8Array(),
  origin: { sourceIp: "127.0.0.1", secure: false },
};
const answer: WholeAnswer = { status: 200, headers: {}, body: "" };

test("it is quiet once the last request has its answer, whatever becomes of it; who has waited long enough goes on", async () => {
  const { first, quiet } = createPrecedence();
  assert.equal(await quiet(60_000), true);
  const [one, two] = [Promise.withResolvers<WholeAnswer>(), Promise.withResolvers<WholeAnswer>()];
  const answering = [first(() => one.promise)(request), first(() => two.promise)(request)];
  let isQuiet = false;
  const waiting = quiet(60_000).then((found) => (isQuiet = found));
  assert.equal(await quiet(1), false);
  one.resolve(answer);
  assert.equal(await answering[0], answer);
  await sleep(1);
  assert.equal(isQuiet, false);
  two.reject(new Error("not answered"));
  await assert.rejects(answering[1]!);
  assert.equal(await waiting, true);
});

test("reconcilers wait for the requests that are under way, and not for ever: then a few begin", async (t) => {
  const store = await openStore(":memory:");
  const { first, quiet } = createPrecedence();
  const begun: string[] = [];
  const { promise: hang, resolve: end } = Promise.withResolvers<{ done: true }>();
  const reconcile = async (id: string) => {
    begun.push(id);
    return hang;
  };
  const reconcilers = { cluster: reconcile, instance: reconcile, steps: reconcile, trail: reconcile, watch: reconcile };
  const loop = createLoop(store, reconcilers, systemClock, pino({ level: "silent" }), quiet);
  t.after(async () => {
    end({ done: true });
    await loop.stop();
    await store.close();
  });
  await loop.start();
  const { promise: asked, resolve: reply } = Promise.withResolvers<WholeAnswer>();
  const answered = first(() => asked)(request);
  await store.transaction(async (tx) => {
    for (let n = 0; n < 30; n++) await tx.wake("cluster", `j-${n}`);
  });
  assert.deepEqual(begun, []);
  while (begun.length === 0) await sleep(5);
  await sleep(100);
  assert.equal(begun.length, 8);
  reply(answer);
  await answered;
  while (begun.length < 30) await sleep(5);
});
