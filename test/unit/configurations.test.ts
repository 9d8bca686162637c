import assert from "node:assert/strict";
import { test } from "node:test";
import { checkConfigurations, mergeConfigurations } from "../../src/engines/configurations.ts";
import { configuration } from "./engine-facts.ts";

const errorsOf = (...list: Parameters<typeof configuration>[]) =>
  checkConfigurations(
    list.map((args) => configuration(...args)),
    ["Spark"],
  ).errors;

test("what EMR takes is taken", () => {
  assert.deepEqual(
    errorsOf(
      ["core-site", { a: "b" }],
      ["spark", { maximizeResourceAllocation: "true" }],
      ["spark-env", {}, [configuration("export", { A: "b" })]],
    ),
    [],
  );
});

test("an unknown classification is refused by name", () => {
  assert.match(errorsOf(["hive-site", {}])[0]!, /^Unknown classification 'hive-site'/);
});

test("a classification of an application that the cluster has not says so", () => {
  assert.match(checkConfigurations([configuration("spark-defaults", {})], ["Hadoop"]).errors[0]!, /needs the application Spark/);
});

test("wrong nesting is refused", () => {
  assert.equal(errorsOf(["core-site", {}, [configuration("export", {})]]).length, 1);
  assert.equal(errorsOf(["hadoop-env", {}, [configuration("core-site", {})]]).length, 1);
  assert.equal(errorsOf(["hadoop-env", { A: "b" }]).length, 1);
  assert.equal(errorsOf(["hadoop-env", {}, [configuration("export", { "a b": "c" })]]).length, 1);
});

test("a property of emrfs-site without a twin is a warning", () => {
  const list = [configuration("emrfs-site", { "fs.s3.consistent": "true", "fs.s3.maxConnections": "9" })];
  const { errors, warnings } = checkConfigurations(list, []);
  assert.deepEqual(errors, []);
  assert.equal(warnings.length, 1);
  assert.match(warnings[0]!, /fs\.s3\.consistent/);
});

test("a group's properties go over the cluster's, one by one and nested ones too", () => {
  const cluster = [
    configuration("core-site", { a: "1", b: "2" }),
    configuration("spark-env", {}, [configuration("export", { X: "1", Y: "2" })]),
  ];
  const group = [configuration("core-site", { b: "3" }), configuration("spark-env", {}, [configuration("export", { Y: "4" })])];
  assert.deepEqual(mergeConfigurations(cluster, group), [
    configuration("core-site", { a: "1", b: "3" }),
    configuration("spark-env", {}, [configuration("export", { X: "1", Y: "4" })]),
  ]);
});
