import assert from "node:assert/strict";
import { test } from "node:test";
import { checkConfigurations } from "../../src/engines/configurations.ts";
import { planNode } from "../../src/engines/plan-node.ts";
import { configuration, factsOf, withEngine } from "./engine-facts.ts";

const planOf = (index: number, own: Record<string, string> = {}) =>
  planNode(
    withEngine(factsOf(["MASTER", "CORE"], index, [configuration("tez-site", own)]), "Tez", ["tez-api-1.jar", "tez-examples-1.jar"]),
  );
const siteOf = (plan: ReturnType<typeof planOf>) => plan.files.find(({ path }) => path.endsWith("tez-site.xml"))!.content!;

test("Tez is jars and a tez-site.xml on every node, and no daemon", () => {
  for (const index of [0, 1]) {
    const plan = planOf(index);
    assert.ok(!plan.daemons.some(({ name }) => name.includes("tez")));
    assert.match(siteOf(plan), /<name>tez.cluster.additional.classpath.prefix<\/name><value>[^<]*\/cache\/tez\/lib\/tez-api-1.jar/);
    assert.match(plan.env.HADOOP_CLASSPATH!, /^\/cache\/tez\/lib\/tez-api-1.jar:.*\/conf\/tez$/);
    assert.ok(plan.base.some(({ path, linkTo }) => path === "/usr/lib/tez/tez-examples.jar" && linkTo?.endsWith("tez-examples-1.jar")));
  }
});

test("tez-site goes over the defaults; where its jars are has no effect, and says so", () => {
  assert.match(siteOf(planOf(0, { "tez.am.launch.cmd-opts": "-Xmx1g" })), /<name>tez.am.launch.cmd-opts<\/name><value>-Xmx1g</);
  const { errors, warnings } = checkConfigurations([configuration("tez-site", { "tez.lib.uris": "hdfs:///apps/tez.tar.gz" })], ["tez"]);
  assert.deepEqual(errors, []);
  assert.match(warnings[0]!, /^tez-site: tez.lib.uris has no effect/);
  assert.match(checkConfigurations([configuration("tez-site", {})], ["Spark"]).errors[0]!, /needs the application Tez/);
});

test("the step whose runtime role an application has goes with it into Tez's containers", () => {
  const facts = withEngine(factsOf(["MASTER"], 0), "Tez", []);
  const plan = planNode({ ...facts, cluster: { ...facts.cluster, hasRuntimeRoles: true } });
  for (const name of ["am", "task"])
    assert.match(siteOf(plan), new RegExp(`tez\\.${name}\\.launch\\.env</name><value>HOWDAH_STEP_ROLE=\\$\\{env\\.HOWDAH_STEP_ROLE:-}`));
  assert.doesNotMatch(siteOf(planOf(0)), /HOWDAH_STEP_ROLE/);
});
