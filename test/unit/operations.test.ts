import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, test } from "node:test";
import * as cloudtrail from "@aws-sdk/client-cloudtrail";
import * as glue from "@aws-sdk/client-glue";
import * as ec2 from "@aws-sdk/client-ec2";
import * as emr from "@aws-sdk/client-emr";
import * as iam from "@aws-sdk/client-iam";
import * as sts from "@aws-sdk/client-sts";
import { overHttp } from "../../src/api/http.ts";
import { createPipeline } from "../../src/api/pipeline.ts";
import { type Rule, type Schema, type Service, toJson, toJsonBySdk } from "../../src/aws/operations.ts";
import glueConstraints from "../../src/aws/constraints/glue.json" with { type: "json" };
import { glueService } from "../../src/aws/services/glue.ts";
import { cloudtrailService } from "../../src/aws/services/cloudtrail.ts";
import { ec2Service } from "../../src/aws/services/ec2.ts";
import { emrService } from "../../src/aws/services/emr.ts";
import { iamService } from "../../src/aws/services/iam.ts";
import { stsService } from "../../src/aws/services/sts.ts";
import { compile, validate } from "../../src/aws/validate.ts";
import { adminKey } from "./keys.ts";

const key = adminKey;

/** A value with every member of the shape, each of them legal; recursive shapes end after one turn. */
function sample(schema: Schema, service: Service, rule: Rule | undefined, inside: string[] = []): unknown {
  if (schema.isStructSchema()) {
    const name = schema.getName() ?? "";
    if (inside.filter((outer) => outer === name).length > 1) return undefined;
    const members = [...schema.structIterator()].map(([member, of]): [string, unknown] => {
      return [member, sample(of, service, service.constraints[name]?.[member], [...inside, name])];
    });
    const given = members.filter(([, value]) => value !== undefined);
    return Object.fromEntries(schema.isUnionSchema() ? given.slice(0, 1) : given);
  }
  if (schema.isListSchema()) {
    const element = sample(schema.getValueSchema(), service, rule?.member, inside);
    return element === undefined ? undefined : [element, element];
  }
  if (schema.isMapSchema()) {
    const element = sample(schema.getValueSchema(), service, rule?.value, inside);
    return element === undefined ? undefined : { one: element, two: element };
  }
  if (schema.isBooleanSchema()) return true;
  if (schema.isNumericSchema()) return Math.min(Math.max(7, rule?.min ?? 7), rule?.max ?? 7);
  if (schema.isTimestampSchema()) return new Date(1_700_000_000_000);
  if (schema.isBlobSchema()) return new Uint8Array([1, 2, 3]);
  if (rule?.enum) return rule.enum.at(-1);
  if (rule?.pattern?.includes("arn:")) return "arn:aws:iam::123456789012:role/Name";
  return "a<&é b".padEnd(rule?.min ?? 0, "x").slice(0, rule?.max);
}

function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return [...value];
  if (Array.isArray(value)) return value.map(plain);
  if (value instanceof Date || typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name]) => name !== "$metadata")
      .map(([name, inner]) => [name, plain(inner)]),
  );
}

interface AnyClient {
  send(command: object): Promise<object>;
  destroy(): void;
}

/** Every operation, from the SDK's client over HTTP to its handler and back, with every member. */
async function roundTrip(service: Service, module: object, makeClient: (endpoint: string) => AnyClient): Promise<number> {
  let seen: unknown;
  const handlers = Object.fromEntries(
    [...service.operations.values()].map(({ name, output }) => [
      name,
      (input: unknown) => {
        seen = input;
        return output.isUnitSchema() ? undefined : sample(output, service, undefined);
      },
    ]),
  );
  const faults: unknown[] = [];
  const pipeline = overHttp(
    createPipeline({
      services: { [service.signingName]: async () => ({ service, handlers }) },
      keys: (id) => (id === key.accessKeyId ? key : undefined),
      authorise: () => {},
      now: () => new Date(),
      log: ({ fault }) => fault && faults.push(fault),
    }),
  );
  // On a machine that stalls for seconds, no connection may be closed just when the client uses it again.
  const server = createServer({ keepAliveTimeout: 120_000 }, pipeline).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const client = makeClient(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  let done = 0;
  try {
    for (const { name, input, output } of service.operations.values()) {
      const Command = (module as Record<string, new (input: unknown) => object>)[`${name}Command`]!;
      const sent = input.isUnitSchema() ? {} : sample(input, service, undefined);
      const answer = await client.send(new Command(sent)).catch((error: unknown) => assert.fail(`${name}: ${String(error)}`));
      assert.deepEqual(plain(seen), plain(sent), `${name}: input`);
      assert.deepEqual(plain(answer), output.isUnitSchema() ? {} : plain(sample(output, service, undefined)), `${name}: output`);
      done += 1;
    }
  } finally {
    client.destroy();
    server.close();
    server.closeAllConnections();
  }
  assert.deepEqual(faults, []);
  return done;
}

const credentials = { accessKeyId: key.accessKeyId, secretAccessKey: key.secretAccessKey };

describe("the model", () => {
  test("every EMR operation makes the round trip", async () => {
    const done = await roundTrip(
      emrService,
      emr,
      (endpoint) => new emr.EMRClient({ endpoint, region: "us-east-1", credentials, maxAttempts: 1 }) as AnyClient,
    );
    assert.ok(done >= 60);
  });

  test("every STS operation makes the round trip", async () => {
    // Some are unsigned in AWS, such as AssumeRoleWithSAML: a signer that always signs stands in.
    const signed = stsService.operations;
    const unsigned = ["AssumeRoleWithSAML", "AssumeRoleWithWebIdentity"];
    const service = { ...stsService, constraints: {}, operations: new Map([...signed].filter(([name]) => !unsigned.includes(name))) };
    await roundTrip(
      service,
      sts,
      (endpoint) => new sts.STSClient({ endpoint, region: "us-east-1", credentials, maxAttempts: 1 }) as AnyClient,
    );
  });

  test("every IAM, CloudTrail and Glue operation makes the round trip", async () => {
    const settings = { region: "us-east-1", credentials, maxAttempts: 1 };
    await roundTrip({ ...iamService, constraints: {} }, iam, (endpoint) => new iam.IAMClient({ ...settings, endpoint }) as AnyClient);
    await roundTrip(
      { ...cloudtrailService, constraints: {} },
      cloudtrail,
      (endpoint) => new cloudtrail.CloudTrailClient({ ...settings, endpoint }) as AnyClient,
    );
    // Those of the catalog; jobs have documents without a schema.
    const operations = new Map([...glueService.operations].filter(([name]) => glueConstraints.operations.includes(name)));
    await roundTrip(
      { ...glueService, constraints: {}, operations },
      glue,
      (endpoint) => new glue.GlueClient({ ...settings, endpoint }) as AnyClient,
    );
  });

  test("every EC2 operation makes the round trip", async () => {
    const done = await roundTrip(
      ec2Service,
      ec2,
      (endpoint) => new ec2.EC2Client({ endpoint, region: "us-east-1", credentials, maxAttempts: 1 }) as AnyClient,
    );
    assert.ok(done >= 750);
  });

  test("answers are the text that the SDK's own writer makes", () => {
    const nasty = ['a"b\\c/\u0000\n\u001f\u007f', "é€😀\ud800", "", "__proto__"];
    const odd = (value: unknown, at = { n: 0 }): unknown => {
      if (typeof value === "string") return nasty[at.n++ % nasty.length];
      if (value instanceof Date || value instanceof Uint8Array || typeof value !== "object" || value === null) return value;
      if (Array.isArray(value)) return value.map((one) => odd(one, at));
      return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, odd(inner, at)]));
    };
    for (const service of [emrService, cloudtrailService])
      for (const { name, output } of service.operations.values()) {
        const full = sample(output, service, undefined) as Record<string, unknown> | undefined;
        const unset = full && Object.fromEntries(Object.entries(full).map(([member, value], i) => [member, i % 2 ? null : value]));
        const values = [full, odd(full), {}, undefined, unset, { ...full, notOfTheModel: 1 }];
        for (const value of values) assert.equal(toJson(output, value), output.isUnitSchema() ? "" : toJsonBySdk(output, value), name);
      }
    const number = emrService.operations.get("DescribeCluster")!.output;
    for (const hours of [Number.NaN, Infinity, -0, 1.5, 1e21])
      assert.equal(
        toJson(number, { Cluster: { NormalizedInstanceHours: hours } }),
        toJsonBySdk(number, { Cluster: { NormalizedInstanceHours: hours } }),
      );
  });

  for (const service of [emrService, stsService, iamService, cloudtrailService, ec2Service, glueService])
    test(`constraints of ${service.signingName} are of structures and members that the SDK has, with patterns that compile`, () => {
      const structures = new Map<string, Schema>();
      const collect = (schema: Schema): void => {
        if (schema.isListSchema() || schema.isMapSchema()) collect(schema.getValueSchema());
        if (!schema.isStructSchema() || structures.has(schema.getName() ?? "")) return;
        structures.set(schema.getName() ?? "", schema);
        for (const [, member] of schema.structIterator()) collect(member);
      };
      for (const { input } of service.operations.values()) collect(input);
      const patterns: string[] = [];
      const gather = (rule: Rule | undefined): void => {
        if (!rule) return;
        if (rule.pattern) patterns.push(rule.pattern);
        for (const below of [rule.member, rule.key, rule.value]) gather(below);
      };
      for (const [name, members] of Object.entries(service.constraints)) {
        const schema = structures.get(name);
        assert.ok(schema, `${name} is not in the SDK`);
        const known = [...schema.structIterator()].map(([member]) => member);
        for (const [member, rule] of Object.entries(members)) {
          assert.ok(known.includes(member), `${name}.${member} is not in the SDK`);
          gather(rule);
        }
      }
      for (const pattern of new Set(patterns)) assert.ok(compile(pattern));
    });
});

describe("validation", () => {
  const run = emrService.operations.get("RunJobFlow")!.input;
  const problem = (document: object): string => {
    try {
      validate(run, { Name: "n", Instances: {}, ...document }, emrService.constraints);
      return "";
    } catch (error) {
      return (error as Error).message;
    }
  };

  const typed = (document: object, message: string) => {
    assert.throws(() => validate(run, { Name: "n", Instances: {}, ...document }, emrService.constraints), {
      code: "SerializationException",
      message,
    });
  };

  test("speaks as AWS does", () => {
    assert.equal(problem({}), "");
    assert.equal(
      problem({ Steps: [{ Name: "s", ActionOnFailure: "EXPLODE", HadoopJarStep: { Jar: "j" } }] }),
      "1 validation error detected: Value 'EXPLODE' at 'steps.1.member.actionOnFailure' failed to satisfy constraint: Member must satisfy enum value set: [TERMINATE_JOB_FLOW, TERMINATE_CLUSTER, CANCEL_AND_WAIT, CONTINUE]",
    );
    assert.equal(
      problem({ Name: "n".repeat(257) }),
      `1 validation error detected: Value '${"n".repeat(257)}' at 'name' failed to satisfy constraint: Member must have length less than or equal to 256`,
    );
    assert.match(
      problem({ Name: "tab\u0000" }),
      /at 'name' failed to satisfy constraint: Member must satisfy regular expression pattern: /,
    );
    assert.equal(problem({ Name: "𝒽owdah ✓\n" }), "");
    assert.equal(
      problem({ Instances: null, Steps: [{}] }),
      "3 validation errors detected: Value null at 'instances' failed to satisfy constraint: Member must not be null; Value null at 'steps.1.member.name' failed to satisfy constraint: Member must not be null; Value null at 'steps.1.member.hadoopJarStep' failed to satisfy constraint: Member must not be null",
    );
  });

  test("tells a wrong type from a wrong value", () => {
    typed({ Steps: {} }, "Start of structure or map found where not expected.");
    typed({ Steps: "x" }, "STRING_VALUE cannot be converted to List");
    typed({ Name: ["x"] }, "Start of list found where not expected.");
    typed({ VisibleToAllUsers: "true" }, "STRING_VALUE cannot be converted to Boolean");
    typed({ Instances: { InstanceCount: "3" } }, "STRING_VALUE cannot be converted to Number");
    typed({ Instances: { TerminationProtected: 1 } }, "NUMBER_VALUE cannot be converted to Boolean");
  });

  test("takes whole numbers of the model's size for whole numbers, and times that there are", () => {
    const group = (InstanceCount: number) => ({
      Instances: { InstanceGroups: [{ InstanceRole: "CORE", InstanceType: "t", InstanceCount }] },
    });
    assert.equal(problem(group(2 ** 31 - 1)), "");
    for (const count of [1.5, 2 ** 31, -(2 ** 31) - 1, 1e300]) typed(group(count), "NUMBER_VALUE cannot be converted to Integer");
    const timeout = (IdleTimeout: number) => ({ AutoTerminationPolicy: { IdleTimeout } });
    assert.equal(problem(timeout(2 ** 40)), "");
    typed(timeout(2 ** 53), "NUMBER_VALUE cannot be converted to Long");
    const list = emrService.operations.get("ListClusters")!.input;
    assert.throws(() => validate(list, { CreatedAfter: 1e300 }, emrService.constraints), { message: /cannot be converted to Timestamp/ });
  });

  test("shows no secret and no endless value, and goes only so deep", () => {
    const secret = "hunter2".repeat(50);
    assert.equal(
      problem({ KerberosAttributes: { Realm: "R", KdcAdminPassword: secret } }),
      "1 validation error detected: Value at 'kerberosAttributes.kdcAdminPassword' failed to satisfy constraint: Member must have length less than or equal to 256",
    );
    assert.ok(problem({ LogUri: "s".repeat(1e6) }).length < 2000);
    const nested = (depth: number): object => ({ Classification: "c", Configurations: depth > 0 ? [nested(depth - 1)] : [] });
    assert.equal(problem({ Configurations: [nested(40)] }), "");
    typed({ Configurations: [nested(1000)] }, "The request is nested more than 100 levels deep.");
    typed({ Colour: JSON.parse("[".repeat(100_000) + "]".repeat(100_000)) }, "The request is nested more than 100 levels deep.");
  });

  test("refuses a key that would be lost", () => {
    const properties = JSON.parse('{"__proto__": "x"}');
    assert.match(problem({ Configurations: [{ Classification: "c", Properties: properties }] }), /Member must not be __proto__/);
  });

  test("names what the model does not know", () => {
    const document = { Name: "n", Instances: { Shade: 1 }, Tags: [{ Key: "k", Colour: 2 }], "": 0 };
    assert.deepEqual(validate(run, document, emrService.constraints).toSorted(), ["", "Instances.Shade", "Tags[0].Colour"]);
  });
});
