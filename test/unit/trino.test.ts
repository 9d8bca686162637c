import assert from "node:assert/strict";
import { test } from "node:test";
import type { NodeRole } from "../../src/agent/manifest.ts";
import { checkConfigurations } from "../../src/engines/configurations.ts";
import { planNode } from "../../src/engines/plan-node.ts";
import { configuration, factsOf, withEngine } from "./engine-facts.ts";

const own = [
  configuration("trino-config", { coordinator: "false", "query.max-memory": "2GB" }),
  configuration("trino-connector-hive", {
    "hive.metastore": "glue",
    "hive.metastore.glue.catalogid": "1",
    "hive.recursive-directories": "true",
  }),
];
const planOf = (roles: NodeRole[], index: number) =>
  planNode(withEngine(withEngine(withEngine(factsOf(roles, index, own), "Trino", []), "Tez", []), "Hive", []));
const fileOf = (plan: ReturnType<typeof planOf>, name: string) => plan.files.find(({ path }) => path.endsWith(`/trino/${name}`))!.content!;

test("the coordinator is on the master, and works where it is alone; workers on the others find it", () => {
  for (const [index, isCoordinator] of [true, false, false].entries()) {
    const plan = planOf(["MASTER", "CORE", "TASK"], index);
    const config = fileOf(plan, "config.properties");
    assert.match(config, new RegExp(`^coordinator=${isCoordinator}$`, "m"));
    assert.match(config, /^discovery\.uri=http:\/\/127\.77\.9\.1:8889$/m);
    assert.match(config, /^query\.max-memory=2GB$/m);
    assert.equal(config.includes("include-coordinator=false"), isCoordinator);
    const server = plan.daemons.find(({ name }) => name === "trino-server")!;
    assert.deepEqual(server.ready, [{ http: { url: `http://127.77.9.${index + 1}:8889/v1/info`, path: ["starting"], equals: "false" } }]);
    assert.ok(server.argv.includes(`-Dnode.bind-ip=127.77.9.${index + 1}`));
  }
  assert.match(fileOf(planOf(["MASTER"], 0), "config.properties"), /include-coordinator=true/);
});

test("the catalog hive has the cluster's metastore, the account's catalog behind it or not, and what was given besides", () => {
  const hive = fileOf(planOf(["MASTER"], 0), "catalog/hive.properties");
  assert.match(hive, /^hive\.metastore=thrift\nhive\.metastore\.uri=thrift:\/\/127\.77\.9\.1:9083$/m);
  assert.match(hive, /^hive\.recursive-directories=true$/m);
  assert.doesNotMatch(hive, /glue/);
});

test("what has no effect is a warning, a connector that is not there is refused by name", () => {
  const { errors, warnings } = checkConfigurations([...own, configuration("trino-connector-kafka", {})], ["Trino"]);
  assert.deepEqual(warnings, ["trino-config: coordinator has no effect: it is the node's"]);
  assert.match(errors.join(), /^Classification 'trino-connector-kafka' is not honoured: of Trino's connectors Howdah has hive, iceberg/);
  assert.match(checkConfigurations([configuration("presto-config", {})], ["Trino"]).errors[0]!, /Presto is not in Howdah yet/);
});
