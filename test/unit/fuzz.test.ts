/**
 * Every operation of every service of the table, with whatever a client may send: what the model forbids, and what it does not. No 5xx, no hang, no word of
 * the program's inside; nothing written where the answer is an error; no secret in an answer, the log or the trail.
 *
 * HOWDAH_FUZZ_SEED=n tries others, HOWDAH_FUZZ_RUNS=n more of them for each operation.
 */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { AnyHandler } from "../../src/api/pipeline.ts";
import { createServices } from "../../src/api/services.ts";
import { invalidRequest } from "../../src/aws/errors.ts";
import { addEvent } from "../../src/store/events.ts";
import { examplesOf } from "./fuzz-examples.ts";
import { Generator, sentinel } from "./fuzz-input.ts";
import { fuzzWorld, type FuzzWorld, keepClusters, knownTo, populate } from "./fuzz-world.ts";

const seed = Number(process.env["HOWDAH_FUZZ_SEED"] ?? 20_260_101);
const runs = Number(process.env["HOWDAH_FUZZ_RUNS"] ?? 25);
/** Of an operation that only answers that it is not there. */
const fewRuns = 2;

/** So that each operation's requests are the same, whichever others there are. */
const seedOf = (name: string): number => [...name].reduce((sum, letter) => Math.imul(sum, 31) + letter.charCodeAt(0), seed);

describe(`fuzz with seed ${seed}`, () => {
  let world: FuzzWorld;
  before(async () => {
    world = await fuzzWorld();
    await populate(world);
  });
  after(() => world.close());

  for (const name of Object.keys(createServices({} as never)))
    test(name, async () => {
      const { service, handlers } = await world.api.services[name]!();
      let carriedOut = 0;
      for (const operation of service.operations.values()) {
        if (name === "elasticmapreduce") await keepClusters(world);
        const known = await knownTo(world, name);
        const generator = new Generator(service, seedOf(operation.name), known);
        const example = examplesOf(name, known)[operation.name];
        const isBuilt = handlers[operation.name] !== undefined;
        const inputs = isBuilt ? generator.systematic(operation) : [];
        for (let n = 0; n < (isBuilt ? runs : fewRuns); n++) inputs.push(generator.anything(operation));
        if (example) {
          inputs.push(example);
          for (let n = 0; n < 4 * runs; n++) inputs.push(generator.broken(example));
        }
        for (const input of inputs)
          try {
            if (await world.check(service, operation, input)) carriedOut += 1;
          } catch (error) {
            throw new Error(`${name}:${operation.name}, seed ${seed}: ${JSON.stringify(input)?.slice(0, 1500)}`, { cause: error });
          }
      }
      if (name === "elasticmapreduce") await readBack(world);
      world.checkSecrets();
      assert.ok(carriedOut > 0, "no request got through to a handler");
    });
});

/** What has been accepted can be shown, whatever it holds. */
async function readBack(world: FuzzWorld): Promise<void> {
  const { service } = await world.api.services["elasticmapreduce"]!();
  const show = async (name: string, input: object) =>
    assert.ok(await world.check(service, service.operations.get(name)!, input), `${name} ${JSON.stringify(input)}`);
  for (const { id: ClusterId, list } of world.rows(
    "SELECT id, iif(spec ->> 'hasFleets', 'ListInstanceFleets', 'ListInstanceGroups') AS list FROM clusters",
  ))
    for (const name of ["DescribeCluster", "ListSteps", "ListInstances", list!, "ListBootstrapActions"]) await show(name, { ClusterId });
  for (const { name: Name } of world.rows("SELECT name FROM security_configurations"))
    await show("DescribeSecurityConfiguration", { Name });
  for (const name of ["ListClusters", "DescribeJobFlows", "ListSecurityConfigurations"]) await show(name, {});
}

test("the fuzzer notices what it is there for", async () => {
  const world = await fuzzWorld();
  try {
    await keepClusters(world);
    const { service, handlers } = await world.api.services["elasticmapreduce"]!();
    const tokenOf = () => world.rows("SELECT secret_access_key AS v FROM access_keys LIMIT 1")[0]!["v"]!;
    const refuse = (message: string) => () => {
      throw invalidRequest(message);
    };
    const describeCluster = service.operations.get("DescribeCluster")!;
    const noticed = async (handler: AnyHandler, message: RegExp) => {
      world.api.services["elasticmapreduce"] = async () => ({ service, handlers: { ...handlers, DescribeCluster: handler } });
      await assert.rejects(async () => {
        await world.check(service, describeCluster, { ClusterId: "j-A" });
        world.checkSecrets();
      }, message);
    };
    await noticed(refuse("no such column: colour"), /no such column/);
    await noticed(refuse("it is undefined"), /undefined/);
    await noticed(refuse(`the password is ${sentinel}`), /a secret is in the answer/);
    await noticed(refuse(`the key is ${tokenOf()}`), /a secret of access_keys is in an error/);
    await noticed(() => {
      throw new Error("a fault");
    }, /a fault: Error: a fault/);
    await noticed(async () => {
      await world.api.store.transaction((tx) => addEvent(tx, "j-A", "cluster", "written all the same"));
      throw invalidRequest("No.");
    }, /something was written, and the answer was an error/);
  } finally {
    await world.close();
  }
});
