/** What `howdah events` prints, in Howdah's words and as EMR's state-change events. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test, type TestContext } from "node:test";
import { events } from "../../src/cli/events.ts";
import { create, harness, makeReady, step } from "./control-plane-harness.ts";

const data = mkdtempSync(join(tmpdir(), "howdah-cli-events-"));
let id = "";
let stepId = "";

before(async () => {
  const h = await harness(join(data, "howdah.db"));
  id = await create(h, { Name: "nightly", Steps: [step("load", "CONTINUE")] });
  const master = await makeReady(h, id);
  stepId = (await h.store.db.selectFrom("steps").select("id").executeTakeFirstOrThrow()).id;
  await h.report(master, { steps: [{ id: stepId, state: "exited", exitCode: 0 }] });
  await h.settle();
  await h.handlers.TerminateJobFlows!({ JobFlowIds: [id] }, h.request);
  await h.settle();
  h.advance(6 * 60_000);
  await h.settle();
  await h.store.close();
});
after(() => rmSync(data, { recursive: true }));

async function said(t: TestContext, cluster: string, options: Parameters<typeof events>[1]): Promise<string[]> {
  const log = t.mock.method(console, "log", () => {});
  await events(cluster, { ...options, data });
  const lines = log.mock.calls.map(({ arguments: [line] }) => String(line));
  log.mock.restore();
  return lines;
}

test("--state-changes prints an event a line, for jq; --json all of them as one array", async (t) => {
  const lines = (await said(t, "last", { stateChanges: true })).map((line) => JSON.parse(line));
  const ofCluster = lines.filter((event) => event["detail-type"] === "EMR Cluster State Change");
  assert.deepEqual(
    ofCluster.map(({ detail }) => detail.state),
    ["STARTING", "RUNNING", "WAITING", "TERMINATING", "TERMINATED"],
  );
  assert.deepEqual(
    lines.filter(({ detail }) => detail.stepId).map(({ detail }) => [detail.stepId, detail.state]),
    ["PENDING", "RUNNING", "COMPLETED"].map((state) => [stepId, state]),
  );
  assert.deepEqual(JSON.parse((await said(t, id, { stateChanges: true, json: true })).join("\n")), lines);
});

test("-f ends with the cluster's last event", async (t) => {
  const followed = (await said(t, id, { stateChanges: true, follow: true })).map((line) => JSON.parse(line));
  assert.ok(followed.some(({ detail }) => detail.state === "TERMINATED"));
  assert.deepEqual(followed, JSON.parse((await said(t, id, { stateChanges: true, json: true })).join("\n")));
});

test("without it, what happened is in Howdah's words", async (t) => {
  const lines = await said(t, id, {});
  assert.match(lines[0]!, /^\S+T\S+Z {2}cluster {3}created by arn:aws:iam::\d{12}:/);
  assert.ok(!lines.some((line) => line.includes("detail-type")));
  await assert.rejects(events(id, { data, json: true, follow: true }), /do not go together/);
  await assert.rejects(events("j-NONE", { data }), /there is no cluster j-NONE/);
});
