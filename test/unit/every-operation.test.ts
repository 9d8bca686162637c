/**
 * Nothing is let through: every operation of every service of the table, as the model lists them, so that a new one is covered by itself. Without a
 * signature, with a wrong one, and by somebody who has no permission, no handler is reached and the error is the service's own.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer, request as httpRequest, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, describe, test } from "node:test";
import { createAuthoriser } from "../../src/access/authorise.ts";
import { actionsOf } from "../../src/access/actions/index.ts";
import type { AccessKey } from "../../src/access/keys.ts";
import { overHttp } from "../../src/api/http.ts";
import { createPipeline, type Services } from "../../src/api/pipeline.ts";
import { createServices } from "../../src/api/services.ts";
import type { Operation, Service } from "../../src/aws/operations.ts";
import { sha256Hex, signRequest } from "../../src/aws/sigv4.ts";
import { adminKey, authorise, noFacts } from "./keys.ts";
import { minimalInput } from "./model-input.ts";
import { written } from "./wire-input.ts";

/** A user without any policy, in the same account as the admin. */
const nobody: AccessKey = {
  ...adminKey,
  accessKeyId: "AKIANOBODY",
  secretAccessKey: "nobody-secret",
  principal: { ...adminKey.principal, arn: "arn:aws:iam::123456789012:user/nobody", id: "AIDANOBODY", userName: "nobody" },
};

/** "No permissions are required." The whole list: an operation joins it only with AWS's word for it. */
const free = ["sts:GetCallerIdentity", "sts:GetSessionToken"];

interface Codes {
  unsigned: [number, string];
  mismatch: [number, string];
  denied: [number, string];
}
const json: Codes = {
  unsigned: [400, "MissingAuthenticationTokenException"],
  mismatch: [400, "InvalidSignatureException"],
  denied: [400, "AccessDeniedException"],
};
const query: Codes = {
  unsigned: [403, "MissingAuthenticationToken"],
  mismatch: [403, "SignatureDoesNotMatch"],
  denied: [403, "AccessDenied"],
};
const codes: Record<string, Codes> = {
  elasticmapreduce: json,
  cloudtrail: json,
  glue: json,
  sts: query,
  iam: query,
  ec2: { unsigned: [403, "MissingAuthenticationToken"], mismatch: [401, "AuthFailure"], denied: [403, "UnauthorizedOperation"] },
};

const table = createServices({} as never);
const services: Service[] = await Promise.all(Object.values(table).map(async (load) => (await load()).service));

describe("every operation of every service", () => {
  const reached: string[] = [];
  let server: Server;

  before(async () => {
    // Whatever handler a service has or will have: it is only noticed that it is reached.
    const watched = Object.fromEntries(
      Object.entries(table).map(([name, load]): [string, Services[string]] => [
        name,
        async () => {
          const { service } = await load();
          const handlers = Object.fromEntries(
            [...service.operations.keys()].map((operation) => [operation, () => void reached.push(`${name}:${operation}`)]),
          );
          return { service, handlers };
        },
      ]),
    );
    const nothing = createAuthoriser({ grantsOf: () => ({ identity: [], boundary: undefined, session: [] }) }, noFacts);
    const pipeline = overHttp(
      createPipeline({
        services: watched,
        keys: (id) => [adminKey, nobody].find((key) => key.accessKeyId === id),
        authorise: (principal, ...rest) => (principal.userName === "nobody" ? nothing : authorise)(principal, ...rest),
        now: () => new Date(),
        log: ({ fault }) => assert.equal(fault, undefined),
      }),
    );
    server = createServer({ keepAliveTimeout: 120_000 }, pipeline).listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
  });
  after(() => {
    server.close();
    server.closeAllConnections();
  });

  type How = "unsigned" | "mismatch" | "denied" | "allowed";

  async function call(service: Service, operation: Operation, how: How): Promise<[number, string, string]> {
    const { port } = server.address() as AddressInfo;
    const url = new URL(`http://127.0.0.1:${port}/`);
    const { body, headers } = written(service, operation, minimalInput(operation.input, service));
    const key = how === "allowed" ? adminKey : nobody;
    const credentials = { accessKeyId: key.accessKeyId, secretAccessKey: how === "mismatch" ? "wrong" : key.secretAccessKey };
    const options = { method: "POST", url, headers, payloadHash: sha256Hex(body), credentials, region: "us-east-1", now: new Date() };
    const signed = signRequest({ ...options, service: service.signingName });
    if (how === "unsigned") delete signed.authorization;
    return new Promise((resolve, reject) => {
      const req = httpRequest(url, { method: "POST", headers: signed }, (res) => {
        let text = "";
        res.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
        res.on("end", () =>
          resolve([res.statusCode!, /"__type":"(\w+)"|<Code>([\w.]+)<\/Code>/.exec(text)?.slice(1).find(Boolean) ?? "", text]),
        );
      });
      req.on("error", reject).end(body);
    });
  }

  for (const service of services) {
    const { signingName } = service;
    test(`${signingName}: ${service.operations.size} operations`, async () => {
      const expected = codes[signingName];
      assert.ok(expected, `a new service: which errors are its own?`);
      for (const operation of service.operations.values()) {
        const name = `${signingName}:${operation.name}`;
        reached.length = 0;
        for (const how of ["unsigned", "mismatch"] as const) {
          const [status, code] = await call(service, operation, how);
          assert.deepEqual([status, code], expected[how], `${name}, ${how}`);
        }
        const [status, code, text] = await call(service, operation, "denied");
        if (free.includes(name)) {
          assert.deepEqual(reached, [name]);
          continue;
        }
        assert.deepEqual([status, code], expected.denied, `${name}, without permission: ${text}`);
        assert.match(text, /user\/nobody is not authorized to perform: [\w-]+:\w+ on resource: /, name);
        assert.deepEqual(reached, [], name);
        // The same request, by somebody who may: so it was not something else that kept the handler from being reached.
        if (/^sts:(AssumeRole\w*)$/.test(name)) continue; // A trust policy decides, and there is no role.
        await call(service, operation, "allowed");
        assert.deepEqual(reached, [name]);
      }
    });
  }

  test("a service without a table of actions answers nobody", () => {
    const service = { signingName: "athena", protocol: "awsJson1_1" } as const;
    const circumstances = { sourceIp: "127.0.0.1", secure: false, userAgent: "", now: new Date(), region: "us-east-1" };
    assert.throws(() => authorise(adminKey.principal, service, "GetDatabase", {}, circumstances), { name: "AccessDeniedException" });
    assert.deepEqual(Object.keys(actionsOf).toSorted(), services.map(({ signingName }) => signingName).toSorted());
  });
});

describe("actions are those of the Service Authorization Reference", () => {
  const reference = JSON.parse(readFileSync(new URL("./service-authorization.json", import.meta.url), "utf8")) as {
    /** By action: the kinds of its resources. */
    actions: Record<string, Record<string, string[]>>;
    newer: Record<string, string[]>;
  };
  for (const service of services) {
    const { signingName } = service;
    test(signingName, () => {
      for (const operation of service.operations.values()) {
        const input = minimalInput(operation.input, service);
        const caller = { principal: adminKey.principal, region: "us-east-1", facts: noFacts };
        const asked = actionsOf[signingName]!(operation.name, input, caller);
        if (free.includes(`${signingName}:${operation.name}`)) {
          assert.deepEqual(asked, []);
          continue;
        }
        assert.equal(asked[0]?.action, `${signingName}:${operation.name}`);
        for (const { action, resource } of asked) {
          const [vendor = "", name = ""] = action.split(":");
          const known = reference.actions[vendor];
          // EC2's hundreds of actions are its operations' names.
          if (known) {
            const isNewer = reference.newer[vendor]?.includes(name) ?? false;
            assert.ok(Object.hasOwn(known, name) || isNewer, `${operation.name} asks for ${action}`);
            const [, kind] = /^arn:[^/]*:([\w-]+)\//.exec(resource) ?? [];
            // A resource that the request names by its ARN is of any kind.
            if (kind !== undefined && !isNewer && !JSON.stringify(input).includes(resource) && operation.name !== "RunJobFlow")
              assert.ok(known[name]!.includes(kind), `${action} is on ${known[name]!.join(", ") || "nothing"}, not ${resource}`);
          }
          assert.match(resource, /^(\*|arn:aws:[\w-]+:[\w-]*:\d{12}:.+)$/, `${operation.name}: ${resource}`);
        }
      }
    });
  }
});
