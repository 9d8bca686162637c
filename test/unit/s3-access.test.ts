/** Who may do what with buckets and objects, at the front door: a store, real clients' requests, and a stand-in for the S3 server. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, request as httpRequest, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, describe, test } from "node:test";
import * as s3 from "@aws-sdk/client-s3";
import {
  CopyObjectCommand,
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteBucketPolicyCommand,
  DeleteObjectsCommand,
  type DeleteObjectsOutput,
  GetBucketPolicyCommand,
  GetBucketPolicyStatusCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  ListObjectsV2Command,
  PutBucketPolicyCommand,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import fc from "fast-check";
import { openBucketFacts } from "../../src/access/bucket-facts.ts";
import { openEmrfsRoles } from "../../src/access/emrfs-roles.ts";
import { openKeyLookup } from "../../src/access/keys.ts";
import { openPolicySource } from "../../src/access/policy-source.ts";
import { readDeleteList, withRefused, writeDeleteList } from "../../src/s3/delete-list.ts";
import { readModule } from "../../src/aws/operations.ts";
import { rootKey } from "../../src/cli/env.ts";
import { serveObjects } from "../../src/s3/objects.ts";
import { readRequest } from "../../src/s3/request.ts";
import { insertSession, insertUserKey } from "../../src/store/access-keys.ts";
import { adminKey, createAccount } from "../../src/store/accounts.ts";
import { changeBucket } from "../../src/store/buckets.ts";
import { findEntity, insertEntity } from "../../src/store/iam-entities.ts";
import { putInlinePolicy } from "../../src/store/iam-policies.ts";
import { makeIds } from "../../src/store/ids.ts";
import { openStore, type Store } from "../../src/store/store.ts";
import { minimalInput } from "./model-input.ts";
import { plainSession } from "../../src/access/session.ts";

const ids = makeIds();
const folder = mkdtempSync(join(tmpdir(), "howdah-s3-access-"));
const [first, second] = ["111122223333", "444455556666"];
let store: Store;
let door: Server;
let behind: Server;
/** What reached the server: method, path, and the body. */
let arrived: string[] = [];
/** Buckets and objects of the stand-in. */
const there = new Map<string, Set<string>>();
const faults: unknown[] = [];
const closing: (() => unknown)[] = [];

before(async () => {
  const path = join(folder, "howdah.db");
  store = await openStore(path);
  await store.transaction(async (tx) => {
    await createAccount(tx, ids, "one", first);
    await createAccount(tx, ids, "two", second);
  });
  behind = createServer((req, res) => void standIn(req).then(({ status, body }) => res.writeHead(status).end(body)));
  await once(behind.listen(0, "127.0.0.1"), "listening");
  const [keys, policies, facts] = [openKeyLookup(path), openPolicySource(path), openBucketFacts(path)];
  const emrfs = openEmrfsRoles(path, policies);
  const options = {
    keys,
    policies,
    emrfs,
    buckets: {
      ...facts,
      change: (change: Parameters<typeof changeBucket>[1]) => store.transaction((tx) => changeBucket(tx, change)),
    },
    server: () => ({ endpoint: url(behind), accessKeyId: "a", secretAccessKey: "s", region: "us-east-1" }),
    now: () => new Date(),
    fault: (_: string, error: unknown) => faults.push(error),
  };
  door = createServer((req, res) => void serveObjects(req, res, options, undefined));
  door.on("checkContinue", (req, res) => void serveObjects(req, res, options, () => res.writeContinue()));
  await once(door.listen(0, "127.0.0.1"), "listening");
  closing.push(() => [keys, policies, facts, emrfs].forEach((reader) => reader.close()));
});
beforeEach(() => {
  arrived = [];
  there.clear();
});
after(async () => {
  for (const server of [door, behind]) server.close().closeAllConnections();
  for (const close of closing) await close();
  await store.close();
  rmSync(folder, { recursive: true });
  assert.deepEqual(faults, []);
});

const url = (server: Server) => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

async function standIn(req: IncomingMessage): Promise<{ status: number; body?: string }> {
  let body = "";
  for await (const chunk of req) body += String(chunk);
  const at = new URL(req.url!, "http://x");
  const [bucket = "", ...rest] = at.pathname.slice(1).split("/").map(decodeURIComponent);
  const key = rest.join("/");
  if (!(req.method === "HEAD" && key === "")) arrived.push(`${req.method} ${decodeURIComponent(at.pathname)}${at.search} ${body}`.trim());
  const objects = there.get(bucket);
  if (bucket === "") {
    const list = [...there.keys()].map((name) => `<Bucket><Name>${name}</Name></Bucket>`).join("");
    return { status: 200, body: `<ListAllMyBucketsResult><Buckets>${list}</Buckets></ListAllMyBucketsResult>` };
  }
  if (key === "" && req.method === "PUT") {
    if (objects) return { status: 409 };
    there.set(bucket, new Set());
    return { status: 200 };
  }
  if (!objects) return { status: 404 };
  if (key === "" && req.method === "DELETE") {
    there.delete(bucket);
    return { status: 204 };
  }
  if (req.method === "POST") return { status: 200, body: "<DeleteResult><Deleted><Key>one</Key></Deleted></DeleteResult>" };
  if (key !== "" && (req.method === "GET" || req.method === "HEAD")) return { status: objects.has(key) ? 200 : 404 };
  if (req.method === "PUT" && req.headers["x-amz-copy-source"]) return { status: 200, body: "<CopyObjectResult/>" };
  return { status: 200, body: key === "" ? "<ListBucketResult/>" : "" };
}

interface Credentials {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
}
const client = (credentials: Credentials) =>
  new S3Client({ endpoint: url(door), region: "us-east-1", forcePathStyle: true, maxAttempts: 1, credentials });

async function adminOf(accountId: string): Promise<S3Client> {
  const key = await adminKey(store.db, accountId);
  return client({ accessKeyId: key!.access_key_id, secretAccessKey: key!.secret_access_key });
}

const document = (Statement: object[]) => JSON.stringify({ Version: "2012-10-17", Statement });
const allow = (Action: string | string[], Resource: string | string[], Condition?: object) => ({
  Effect: "Allow",
  Action,
  Resource,
  Condition,
});

/** Sends requests without a signature. */
const nameless = {
  send: (command: never): Promise<never> => {
    const signer = { sign: async <T>(request: T) => request };
    const credentials = { accessKeyId: "-", secretAccessKey: "-" };
    return new S3Client({ endpoint: url(door), region: "us-east-1", forcePathStyle: true, maxAttempts: 1, signer, credentials }).send(
      command,
    );
  },
};

let count = 0;
/** A new user with these statements; its name is user1, user2, … */
async function user(statements: object[], accountId = first): Promise<S3Client & { arn: string }> {
  const name = `user${++count}`;
  const key = await store.transaction(async (tx) => {
    const entity = await insertEntity(tx, ids, { account_id: accountId, kind: "user", name, path: "/" });
    if (statements.length > 0) await putInlinePolicy(tx, entity.id, "own", document(statements));
    return insertUserKey(tx, ids, entity);
  });
  const made = client({ accessKeyId: key.access_key_id, secretAccessKey: key.secret_access_key });
  return Object.assign(made, { arn: `arn:aws:iam::${accountId}:user/${name}` });
}

/** A bucket with these objects, whose policy, if any, is put by its owner. */
async function bucket(name: string, objects: string[], policy?: object[], owner = first): Promise<string> {
  const admin = await adminOf(owner);
  await admin.send(new CreateBucketCommand({ Bucket: name }));
  there.set(name, new Set(objects));
  if (policy) await admin.send(new PutBucketPolicyCommand({ Bucket: name, Policy: document(policy) }));
  arrived = [];
  return name;
}

/** "allowed" where the request reached the server, or the error's name. */
async function told(sent: Promise<unknown>): Promise<string> {
  const before = arrived.length;
  try {
    await sent;
    return "allowed";
  } catch (error) {
    const { name, $metadata } = error as Error & { $metadata?: { httpStatusCode?: number } };
    // An answer to HEAD has no body to read the name from.
    const code = name === "Unknown" || name === "UnknownError" || name === "403" ? `${$metadata?.httpStatusCode}` : name;
    if (code === "AccessDenied") assert.equal(arrived.length, before, "it was refused, and yet it reached the server");
    return code;
  }
}

/** Without a signature. */
function anonymous(method: string, path: string, body = ""): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const req = httpRequest(`${url(door)}${path}`, { method, headers: { "content-length": Buffer.byteLength(body) } }, (res) => {
      let text = "";
      res.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
      res.on("end", () => resolve({ status: res.statusCode!, text }));
    });
    req.on("error", reject).end(body);
  });
}

describe("objects and prefixes", () => {
  test("a user who may read one prefix", async () => {
    const Bucket = await bucket("one", ["home/ann/x", "home/bob/x"]);
    const ann = await user([
      allow("s3:ListBucket", "arn:aws:s3:::one", {
        StringLike: { "s3:prefix": ["home/ann/*"] },
        NumericLessThanEquals: { "s3:max-keys": 1000 },
      }),
      allow(["s3:GetObject", "s3:PutObject"], "arn:aws:s3:::one/home/ann/*"),
    ]);
    assert.equal(await told(ann.send(new GetObjectCommand({ Bucket, Key: "home/ann/x" }))), "allowed");
    assert.equal(await told(ann.send(new PutObjectCommand({ Bucket, Key: "home/ann/new", Body: "x" }))), "allowed");
    assert.equal(await told(ann.send(new GetObjectCommand({ Bucket, Key: "home/bob/x" }))), "AccessDenied");
    assert.equal(await told(ann.send(new PutObjectCommand({ Bucket, Key: "home/bob/x", Body: "x" }))), "AccessDenied");
    assert.equal(await told(ann.send(new ListObjectsV2Command({ Bucket, Prefix: "home/ann/" }))), "allowed");
    assert.equal(await told(ann.send(new ListObjectsV2Command({ Bucket, Prefix: "home/ann/", MaxKeys: 2000 }))), "AccessDenied");
    assert.equal(await told(ann.send(new ListObjectsV2Command({ Bucket, Prefix: "home/" }))), "AccessDenied");
    assert.equal(await told(ann.send(new ListObjectsV2Command({ Bucket }))), "AccessDenied");
    assert.equal(await told(ann.send(new HeadBucketCommand({ Bucket }))), "403");
    // What is not there is told only to those who may list it.
    assert.equal(await told(ann.send(new GetObjectCommand({ Bucket, Key: "home/ann/none" }))), "NotFound");
    const reader = await user([allow("s3:GetObject", "arn:aws:s3:::one/*")]);
    assert.equal(await told(reader.send(new GetObjectCommand({ Bucket, Key: "home/bob/x" }))), "allowed");
    await assert.rejects(reader.send(new GetObjectCommand({ Bucket, Key: "none" })), { name: "AccessDenied", message: "Access Denied" });
    assert.equal(await told(reader.send(new HeadObjectCommand({ Bucket, Key: "none" }))), "403");
    await assert.rejects(reader.send(new PutObjectCommand({ Bucket, Key: "k", Body: "x" })), {
      message: `User: ${reader.arn} is not authorized to perform: s3:PutObject on resource: "arn:aws:s3:::one/k" because no identity-based policy allows the s3:PutObject action`,
    });
  });

  test("keys are what they say, however they are written", async () => {
    const Bucket = await bucket("names", ["a+b c/ü", "secret"]);
    const ann = await user([allow("s3:*", "arn:aws:s3:::names/a+b c/*"), allow("s3:ListBucket", "arn:aws:s3:::names")]);
    assert.equal(await told(ann.send(new GetObjectCommand({ Bucket, Key: "a+b c/ü" }))), "allowed");
    assert.equal(await told(ann.send(new GetObjectCommand({ Bucket, Key: "secret" }))), "AccessDenied");
    // The source of a copy is read by the server as it was asked for here.
    await ann.send(new CopyObjectCommand({ Bucket, Key: "a+b c/copy", CopySource: encodeURI("names/a+b c/ü") }));
    assert.equal(await told(ann.send(new CopyObjectCommand({ Bucket, Key: "a+b c/copy", CopySource: "names/secret" }))), "AccessDenied");
    assert.equal(
      await told(ann.send(new CopyObjectCommand({ Bucket, Key: "copy", CopySource: encodeURI("names/a+b c/ü") }))),
      "AccessDenied",
    );
  });

  test("a list of objects to delete is decided about one by one", async () => {
    const Bucket = await bucket("many", ["one", "two"]);
    const ann = await user([allow("s3:DeleteObject", "arn:aws:s3:::many/one*")]);
    const gone = await ann.send(
      new DeleteObjectsCommand({ Bucket, Delete: { Objects: [{ Key: "one" }, { Key: "two" }, { Key: "one & <two>" }] } }),
    );
    assert.deepEqual(gone.Errors, [{ Key: "two", Code: "AccessDenied", Message: "Access Denied" }]);
    assert.equal(arrived.length, 1);
    assert.deepEqual(
      readDeleteList(arrived[0]!.slice(arrived[0]!.indexOf("<"))).objects.map(({ key }) => key),
      ["one", "one & <two>"],
    );
    arrived = [];
    const none = await ann.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects: [{ Key: "two" }] } }));
    assert.deepEqual([none.Deleted, none.Errors?.map(({ Key }) => Key), arrived], [undefined, ["two"], []]);
  });

  test("sessions: by the role, within the session's policy; nodes by theirs", async () => {
    const Bucket = await bucket("sessions", ["a/x", "b/x"]);
    const made = await store.transaction(async (tx) => {
      const role = await insertEntity(tx, ids, { account_id: first, kind: "role", name: "reader", path: "/", trust: "{}" });
      await putInlinePolicy(tx, role.id, "own", document([allow("s3:GetObject", "arn:aws:s3:::sessions/*")]));
      const session = {
        ...plainSession("s", { path: "/", name: "reader" }, Date.now()),
        policies: [document([allow("s3:*", "arn:aws:s3:::sessions/a/*")])],
      };
      const node = (await findEntity(tx.db, first, "role", "EMR_EC2_DefaultRole"))!;
      const common = { accountId: first, expiresAt: Date.now() + 3_600_000 };
      return [
        await insertSession(tx, ids, { ...common, ownerId: role.id, session } as never),
        await insertSession(tx, ids, {
          ...common,
          ownerId: node.id,
          session: plainSession("i-1", { path: "/", name: "EMR_EC2_DefaultRole" }, Date.now()),
        } as never),
      ];
    });
    const [reader, node] = made.map((key) =>
      client({ accessKeyId: key!.access_key_id, secretAccessKey: key!.secret_access_key, sessionToken: key!.session_token! }),
    ) as [S3Client, S3Client];
    assert.equal(await told(reader.send(new GetObjectCommand({ Bucket, Key: "a/x" }))), "allowed");
    await assert.rejects(reader.send(new GetObjectCommand({ Bucket, Key: "b/x" })), {
      message: /because no session policy allows the s3:GetObject action$/,
    });
    assert.equal(await told(reader.send(new PutObjectCommand({ Bucket, Key: "a/y", Body: "x" }))), "AccessDenied");
    assert.equal(await told(node.send(new PutObjectCommand({ Bucket, Key: "a/y", Body: "x" }))), "allowed");
  });
});

describe("bucket policies", () => {
  test("are put, shown and deleted; what is none is refused", async () => {
    const Bucket = await bucket("policies", []);
    const admin = await adminOf(first);
    await assert.rejects(admin.send(new GetBucketPolicyCommand({ Bucket })), { name: "NoSuchBucketPolicy" });
    const Policy = document([{ Effect: "Allow", Principal: "*", Action: "s3:GetObject", Resource: `arn:aws:s3:::${Bucket}/*` }]);
    await admin.send(new PutBucketPolicyCommand({ Bucket, Policy }));
    assert.equal((await admin.send(new GetBucketPolicyCommand({ Bucket }))).Policy, Policy);
    assert.equal((await admin.send(new GetBucketPolicyStatusCommand({ Bucket }))).PolicyStatus?.IsPublic, true);
    const users = `arn:aws:iam::${first}:user/`;
    for (const name of [`${users}admin`, "arn:aws:iam::999999999999:user/x", `arn:aws:sts::${first}:assumed-role/EMR_DefaultRole/x`, first])
      await admin.send(new PutBucketPolicyCommand({ Bucket, Policy: Policy.replace('"*"', `{"AWS":"${name}"}`) }));
    await admin.send(new PutBucketPolicyCommand({ Bucket, Policy }));
    const wrong: [string, string][] = [
      [Policy.replace('"*"', `{"AWS":"${users}nobody"}`), "Invalid principal in policy"],
      [Policy.replace('"*"', `{"AWS":"${users}path/admin"}`), "Invalid principal in policy"],
      [Policy.replace('"*"', '{"AWS":"AIDANOBODYNOBODYNOBODY"}'), "Invalid principal in policy"],
      ["{", "Policies must be valid JSON and the first byte must be '{'"],
      [document([allow("s3:GetObject", `arn:aws:s3:::${Bucket}/*`)]), "Missing required field Principal"],
      [Policy.replace("policies/*", "others/*"), "Policy has invalid resource"],
      [Policy.replace("s3:GetObject", "iam:GetUser"), "Policy has invalid action"],
      [" ".repeat(30_000), "The policy has more than 20480 bytes."],
    ];
    for (const [text, message] of wrong)
      await assert.rejects(admin.send(new PutBucketPolicyCommand({ Bucket, Policy: text })), { name: "MalformedPolicy", message });
    assert.equal((await admin.send(new GetBucketPolicyCommand({ Bucket }))).Policy, Policy);
    await admin.send(new DeleteBucketPolicyCommand({ Bucket }));
    await assert.rejects(admin.send(new GetBucketPolicyStatusCommand({ Bucket })), { name: "NoSuchBucketPolicy" });
    await assert.rejects(admin.send(new PutBucketPolicyCommand({ Bucket: "nowhere", Policy })), { name: "NoSuchBucket" });
    const nobody = await user([]);
    assert.equal(await told(nobody.send(new PutBucketPolicyCommand({ Bucket, Policy }))), "AccessDenied");
    // Nothing of all that is the server's.
    assert.deepEqual(arrived, []);
  });

  test("allow what a user's own do not, and deny what they do; from the answer on", async () => {
    const ann = await user([allow("s3:PutObject", "arn:aws:s3:::mixed/*")]);
    const Bucket = await bucket(
      "mixed",
      ["k"],
      [{ Effect: "Allow", Principal: { AWS: ann.arn }, Action: "s3:GetObject", Resource: "arn:aws:s3:::mixed/*" }],
    );
    assert.equal(await told(ann.send(new GetObjectCommand({ Bucket, Key: "k" }))), "allowed");
    assert.equal(await told((await user([])).send(new GetObjectCommand({ Bucket, Key: "k" }))), "AccessDenied");
    assert.equal(await told(ann.send(new PutObjectCommand({ Bucket, Key: "k", Body: "x" }))), "allowed");
    const admin = await adminOf(first);
    const deny = { Effect: "Deny", Principal: "*", Action: "s3:PutObject", Resource: "arn:aws:s3:::mixed/*" };
    await admin.send(new PutBucketPolicyCommand({ Bucket, Policy: document([deny]) }));
    await assert.rejects(ann.send(new PutObjectCommand({ Bucket, Key: "k", Body: "x" })), {
      message: /with an explicit deny in a resource-based policy$/,
    });
    assert.equal(await told(admin.send(new PutObjectCommand({ Bucket, Key: "k", Body: "x" }))), "AccessDenied");
    assert.equal(await told(ann.send(new GetObjectCommand({ Bucket, Key: "k" }))), "AccessDenied");
    const own = await user([allow("s3:*", "*"), { Effect: "Deny", Action: "s3:GetObject", Resource: "*" }]);
    await assert.rejects(own.send(new GetObjectCommand({ Bucket, Key: "k" })), {
      message: /with an explicit deny in an identity-based policy$/,
    });
  });

  test("aws:SecureTransport: this door is not secure", async () => {
    const Bucket = await bucket(
      "secure",
      ["k"],
      [
        {
          Effect: "Deny",
          Principal: "*",
          Action: "s3:*",
          Resource: ["arn:aws:s3:::secure", "arn:aws:s3:::secure/*"],
          Condition: { Bool: { "aws:SecureTransport": "false" } },
        },
      ],
    );
    const admin = await adminOf(first);
    assert.equal(await told(admin.send(new GetObjectCommand({ Bucket, Key: "k" }))), "AccessDenied");
    assert.equal(await told(admin.send(new ListObjectsV2Command({ Bucket }))), "AccessDenied");
    // Nobody can undo it but the account's root.
    assert.equal(await told(admin.send(new DeleteBucketPolicyCommand({ Bucket }))), "AccessDenied");
    const key = await rootKey(store, first);
    const root = client({ accessKeyId: key.access_key_id, secretAccessKey: key.secret_access_key, sessionToken: key.session_token! });
    assert.equal(await told(root.send(new GetObjectCommand({ Bucket, Key: "k" }))), "AccessDenied");
    await root.send(new DeleteBucketPolicyCommand({ Bucket }));
    assert.equal(await told(admin.send(new GetObjectCommand({ Bucket, Key: "k" }))), "allowed");
  });

  test("by address, and by what a request says of itself", async () => {
    const Bucket = await bucket(
      "conditions",
      ["k"],
      [
        {
          Effect: "Deny",
          Principal: "*",
          Action: "s3:GetObject",
          Resource: "arn:aws:s3:::conditions/*",
          Condition: { NotIpAddress: { "aws:SourceIp": "127.0.0.0/8" } },
        },
        {
          Effect: "Deny",
          Principal: "*",
          Action: "s3:PutObject",
          Resource: "arn:aws:s3:::conditions/*",
          Condition: { StringNotEquals: { "s3:x-amz-storage-class": "STANDARD" } },
        },
        {
          Effect: "Deny",
          Principal: "*",
          Action: "s3:DeleteObject",
          Resource: "arn:aws:s3:::conditions/*",
          Condition: { NumericGreaterThan: { "s3:signatureAge": 600_000 } },
        },
      ],
    );
    const admin = await adminOf(first);
    assert.equal(await told(admin.send(new GetObjectCommand({ Bucket, Key: "k" }))), "allowed");
    assert.equal(await told(admin.send(new PutObjectCommand({ Bucket, Key: "k", Body: "x" }))), "AccessDenied");
    assert.equal(await told(admin.send(new PutObjectCommand({ Bucket, Key: "k", Body: "x", StorageClass: "STANDARD" }))), "allowed");
  });

  test("without a signature only what a policy gives to everybody", async () => {
    await bucket(
      "open",
      ["public/k", "k"],
      [{ Effect: "Allow", Principal: "*", Action: "s3:GetObject", Resource: "arn:aws:s3:::open/public/*" }],
    );
    await bucket("accounts", ["k"], [{ Effect: "Allow", Principal: { AWS: first }, Action: "s3:*", Resource: "arn:aws:s3:::accounts/*" }]);
    assert.equal((await anonymous("GET", "/open/public/k")).status, 200);
    const refused: [string, string][] = [
      ["GET", "/open/k"],
      ["GET", "/open/public/none"],
      ["PUT", "/open/public/k"],
      ["DELETE", "/open/public/k"],
      ["GET", "/open"],
      ["GET", "/open?policy"],
      ["PUT", "/open?policy"],
      ["GET", "/accounts/k"],
      ["PUT", "/new"],
      ["GET", "/"],
      ["GET", "/elasticmapreduce/samples/wordcount/wordSplitter.py"],
    ];
    for (const [method, path] of refused) {
      arrived = [];
      const { status, text } = await anonymous(method, path);
      assert.deepEqual(
        [status, /<Code>(\w+)/.exec(text)?.[1], /<Message>(.*)<\/Message>/.exec(text)?.[1]],
        [403, "AccessDenied", "Access Denied"],
        `${method} ${path}`,
      );
      if (!path.endsWith("none")) assert.deepEqual(arrived, [], `${method} ${path}`);
    }
    const gone = await anonymous("POST", "/open?delete", "<Delete><Object><Key>public/k</Key></Object></Delete>");
    assert.match(gone.text, /<Error><Key>public\/k<\/Key><Code>AccessDenied<\/Code>/);
    assert.deepEqual(arrived, []);
  });

  test("the built-in bucket is read by everybody of an account, unless a policy forbids it", async () => {
    const get = new GetObjectCommand({ Bucket: "elasticmapreduce", Key: "samples/wordcount/wordSplitter.py" });
    assert.equal(await told((await user([])).send(get)), "allowed");
    assert.equal(await told((await user([], second)).send(get)), "allowed");
    assert.equal(
      await told((await user([{ Effect: "Deny", Action: "s3:*", Resource: "arn:aws:s3:::elasticmapreduce/*" }])).send(get)),
      "AccessDenied",
    );
    const Bucket = await bucket("copies", []);
    const copies = await user([allow("s3:PutObject", "arn:aws:s3:::copies/*")]);
    const copy = new CopyObjectCommand({ Bucket, Key: "k", CopySource: "elasticmapreduce/samples/wordcount/wordSplitter.py" });
    assert.equal(await told(copies.send(copy)), "allowed");
    assert.equal(await told((await user([])).send(copy)), "AccessDenied");
  });
});

describe("accounts", () => {
  test("a bucket is its maker's; another account needs its policy, and permission of its own", async () => {
    const Bucket = await bucket("theirs", ["k"], undefined, second);
    const [one, two] = [await adminOf(first), await adminOf(second)];
    const get = new GetObjectCommand({ Bucket, Key: "k" });
    assert.equal(await told(two.send(get)), "allowed");
    await assert.rejects(one.send(get), { name: "AccessDenied", message: "Access Denied" });
    assert.equal(await told(one.send(new DeleteBucketCommand({ Bucket }))), "AccessDenied");
    await assert.rejects(one.send(new CreateBucketCommand({ Bucket })), { name: "BucketAlreadyExists" });
    const share = (Principal: object) =>
      two.send(
        new PutBucketPolicyCommand({
          Bucket,
          Policy: document([
            {
              Effect: "Allow",
              Principal,
              Action: ["s3:GetObject", "s3:PutBucketPolicy"],
              Resource: [`arn:aws:s3:::${Bucket}/*`, `arn:aws:s3:::${Bucket}`],
            },
          ]),
        }),
      );
    await share({ AWS: first });
    assert.equal(await told(one.send(get)), "allowed");
    assert.equal(await told((await user([])).send(get)), "AccessDenied");
    assert.equal(await told((await user([allow("s3:GetObject", "*")])).send(get)), "allowed");
    // Another account never changes a policy, whatever it is allowed.
    assert.equal(await told(one.send(new PutBucketPolicyCommand({ Bucket, Policy: document([]) }))), "MethodNotAllowed");
    for (const [ExpectedBucketOwner, expected] of [
      [second, "allowed"],
      [first, "AccessDenied"],
    ] as const)
      assert.equal(await told(two.send(new GetObjectCommand({ Bucket, Key: "k", ExpectedBucketOwner }))), expected);
    await bucket("mine", []);
    there.set("older", new Set());
    const names = async (of: S3Client) => (await of.send(new ListBucketsCommand({}))).Buckets?.map(({ Name }) => Name);
    assert.deepEqual(await names(two), ["theirs"]);
    // What nobody has made by Howdah is the first account's.
    assert.deepEqual(await names(one), ["mine", "older"]);
    assert.equal(await told(two.send(new ListObjectsV2Command({ Bucket: "older" }))), "AccessDenied");
    assert.equal(await told(two.send(new ListObjectsV2Command({ Bucket: "nobodys" }))), "NoSuchBucket");
  });

  test("a bucket that is made anew is its new maker's, without the old one's policy", async () => {
    const [one, two] = [await adminOf(first), await adminOf(second)];
    const Bucket = await bucket(
      "again",
      ["k"],
      [{ Effect: "Allow", Principal: "*", Action: "s3:GetObject", Resource: "arn:aws:s3:::again/*" }],
    );
    await one.send(new DeleteBucketCommand({ Bucket }));
    await two.send(new CreateBucketCommand({ Bucket }));
    there.get(Bucket)!.add("k");
    assert.equal((await anonymous("GET", "/again/k")).status, 403);
    assert.equal(await told(one.send(new GetObjectCommand({ Bucket, Key: "k" }))), "AccessDenied");
    // It went away behind Howdah's back, or a crash came between.
    await two.send(
      new PutBucketPolicyCommand({
        Bucket,
        Policy: document([{ Effect: "Allow", Principal: "*", Action: "s3:GetObject", Resource: "arn:aws:s3:::again/*" }]),
      }),
    );
    there.delete(Bucket);
    await one.send(new CreateBucketCommand({ Bucket }));
    there.get(Bucket)!.add("k");
    assert.equal((await anonymous("GET", "/again/k")).status, 403);
    assert.equal(await told(one.send(new GetObjectCommand({ Bucket, Key: "k" }))), "allowed");
    // Two at once: one has it.
    await Promise.allSettled([one, two].map((of) => of.send(new CreateBucketCommand({ Bucket: "raced" }))));
    there.get("raced")!.add("k");
    const get = new GetObjectCommand({ Bucket: "raced", Key: "k" });
    assert.deepEqual([await told(one.send(get)), await told(two.send(get))].toSorted(), ["AccessDenied", "allowed"]);
  });

  test("a bucket that could not be made is nobody's", async () => {
    const two = await adminOf(second);
    const refuse = await user([allow("s3:CreateBucket", "*")], second);
    await assert.rejects(refuse.send(new CreateBucketCommand({ Bucket: "Bad_Name" })));
    assert.equal(await told(two.send(new ListObjectsV2Command({ Bucket: "Bad_Name" }))), "NoSuchBucket");
  });
});

describe("what a request asks for", () => {
  const read = (method: string, target: string, headers: Record<string, string> = {}, external = false) => {
    const [path = "", query = ""] = target.split("?");
    return readRequest(method, path, new URLSearchParams(query), headers, external).asked.map(
      ({ action, resource }) => `${action} ${resource.slice("arn:aws:s3:::".length)}`,
    );
  };

  test("actions, by method and sub-resource", () => {
    const cases: [string, string, string | string[], Record<string, string>?][] = [
      ["GET", "/", "s3:ListAllMyBuckets *"],
      ["GET", "/bkt", "s3:ListBucket bkt"],
      ["GET", "/bkt/", "s3:ListBucket bkt"],
      ["HEAD", "/bkt", "s3:ListBucket bkt"],
      ["PUT", "/bkt", "s3:CreateBucket bkt"],
      ["DELETE", "/bkt", "s3:DeleteBucket bkt"],
      ["GET", "/bkt?location", "s3:GetBucketLocation bkt"],
      ["GET", "/bkt?uploads&prefix=x", "s3:ListBucketMultipartUploads bkt"],
      ["GET", "/bkt?acl", "s3:GetBucketAcl bkt"],
      ["PUT", "/bkt?acl", "s3:PutBucketAcl bkt"],
      ["PUT", "/bkt?lifecycle", "s3:PutLifecycleConfiguration bkt"],
      ["DELETE", "/bkt?policy", "s3:DeleteBucketPolicy bkt"],
      ["POST", "/bkt?delete", []],
      ["GET", "/bkt/k", "s3:GetObject bkt/k"],
      ["HEAD", "/bkt/a%2Fb%20c", "s3:GetObject bkt/a/b c"],
      ["GET", "/bkt/k?versionId=1", "s3:GetObjectVersion bkt/k"],
      ["DELETE", "/bkt/k?versionId=1", "s3:DeleteObjectVersion bkt/k"],
      ["GET", "/bkt/k?attributes", ["s3:GetObject bkt/k", "s3:GetObjectAttributes bkt/k"]],
      ["PUT", "/bkt/k", "s3:PutObject bkt/k"],
      ["PUT", "/bkt/k", ["s3:PutObject bkt/k", "s3:PutObjectAcl bkt/k"], { "x-amz-acl": "public-read" }],
      ["PUT", "/bkt/k", ["s3:PutObject bkt/k", "s3:GetObject cpy/d/e f"], { "x-amz-copy-source": "/cpy/d/e%20f" }],
      [
        "PUT",
        "/bkt/k?partNumber=1&uploadId=u",
        ["s3:PutObject bkt/k", "s3:GetObjectVersion cpy/d"],
        { "x-amz-copy-source": "cpy/d?versionId=v" },
      ],
      ["PUT", "/bkt/k?tagging", "s3:PutObjectTagging bkt/k"],
      ["POST", "/bkt/k?uploads", "s3:PutObject bkt/k"],
      ["POST", "/bkt/k?uploadId=u", "s3:PutObject bkt/k"],
      ["GET", "/bkt/k?uploadId=u", "s3:ListMultipartUploadParts bkt/k"],
      ["DELETE", "/bkt/k?uploadId=u", "s3:AbortMultipartUpload bkt/k"],
      ["DELETE", "/bkt/k", "s3:DeleteObject bkt/k"],
    ];
    for (const [method, target, expected, headers] of cases)
      assert.deepEqual(read(method, target, headers), [expected].flat(), `${method} ${target}`);
  });

  test("what could be taken for something else is refused", () => {
    const cases: [string, string, string, Record<string, string>?, boolean?][] = [
      ["GET", "//bkt/k", "InvalidBucketName"],
      ["GET", "/bkt%2Fk", "InvalidBucketName"],
      ["GET", "/..%2F..", "InvalidBucketName"],
      ["GET", "/bkt/%zz", "InvalidURI"],
      ["GET", "/bkt?acl&policy", "InvalidArgument"],
      ["PUT", "/bkt/k?acl", "InvalidRequest", { "x-amz-copy-source": "cpy/d" }],
      ["GET", "/bkt/k", "InvalidRequest", { "x-amz-copy-source": "cpy/d" }],
      ["PUT", "/bkt", "InvalidRequest", { "x-amz-copy-source": "cpy/d" }],
      ["PUT", "/bkt/k", "InvalidArgument", { "x-amz-copy-source": "cpy" }],
      ["POST", "/bkt", "MethodNotAllowed"],
      ["POST", "/bkt/k", "MethodNotAllowed"],
      ["PUT", "/", "MethodNotAllowed"],
      ["OPTIONS", "/bkt/k", "MethodNotAllowed"],
      ["PATCH", "/bkt/k", "MethodNotAllowed"],
      ["POST", "/bkt?policy", "MethodNotAllowed"],
      ["DELETE", "/bkt?delete", "MethodNotAllowed"],
      ["PUT", "/bkt?newThing", "NotImplemented", {}, true],
    ];
    for (const [method, target, code, headers, external] of cases)
      assert.throws(() => read(method, target, headers, external), { code }, `${method} ${target}`);
    assert.deepEqual(read("GET", "/bkt/k?x-mine=1&response-content-type=x&X-Amz-Date=1", {}, true), ["s3:GetObject bkt/k"]);
  });
});

describe("lists of objects to delete", () => {
  test("are read as they are written", () => {
    // Characters that XML has.
    const key = fc
      .string({ minLength: 1, unit: "grapheme" })
      .filter((made) => !/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u.test(made));
    fc.assert(
      fc.property(
        fc.array(fc.record({ key, version: fc.option(key, { nil: undefined }) }, { noNullPrototype: true }), {
          minLength: 1,
          maxLength: 5,
        }),
        fc.boolean(),
        (objects, quiet) => {
          assert.deepEqual(readDeleteList(writeDeleteList({ objects, quiet })), { objects, quiet });
        },
      ),
    );
    const spaced = `\n<Delete xmlns='http://s3.amazonaws.com/doc/2006-03-01/'>\n <Object>\n <Key> a&#x20;b&amp;\r\n</Key> </Object>\n<Quiet>true</Quiet></Delete>\n`;
    assert.deepEqual(readDeleteList(spaced), { objects: [{ key: " a b&\n", version: undefined }], quiet: true });
  });

  test("are nothing else", () => {
    const one = "<Object><Key>k</Key></Object>";
    const wrong = [
      "",
      "<Delete></Delete>",
      `<Delete>${one}`,
      `<Delete>${one}</Delete><Delete>${one}</Delete>`,
      `<Delete>x${one}</Delete>`,
      "<Delete><Object></Object></Delete>",
      "<Delete><Object><Key></Key></Object></Delete>",
      "<Delete><Object><Key><![CDATA[k]]></Key></Object></Delete>",
      "<Delete><Object><Key>k<!-- --></Key></Object></Delete>",
      `<!DOCTYPE x [<!ENTITY e "k">]><Delete><Object><Key>&e;</Key></Object></Delete>`,
      "<Delete><Object><Key>&#0;</Key></Object></Delete>",
      "<Delete><Object><Key>&#xd800;</Key></Object></Delete>",
      "<Delete><Object><Key>a & b</Key></Object></Delete>",
      "<Delete><Object><Key>k\u0001</Key></Object></Delete>",
      "<s3:Delete><s3:Object><s3:Key>k</s3:Key></s3:Object></s3:Delete>",
      `<Delete>${one.repeat(1001)}</Delete>`,
    ];
    for (const xml of wrong) assert.throws(() => readDeleteList(xml), { code: "MalformedXML" }, xml.slice(0, 80));
    assert.throws(() => readDeleteList("<Delete><Object><Key>k</Key><ETag>x</ETag></Object></Delete>"), { code: "NotImplemented" });
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom("<", ">", "/", "Delete", "Object", "Key", "k", "&", ";", "#1", " ") }), (xml) => {
        try {
          readDeleteList(xml);
        } catch (error) {
          assert.equal((error as { code?: string }).code, "MalformedXML");
        }
      }),
    );
  });

  test("answers name those that were refused", () => {
    const refused = [{ key: "a<b", version: "v" }];
    const error =
      "<Error><Key>a&lt;b</Key><VersionId>v</VersionId><Code>AccessDenied</Code><Message>Access Denied</Message></Error></DeleteResult>";
    assert.equal(withRefused("<DeleteResult><Deleted/></DeleteResult>\n", refused), `<DeleteResult><Deleted/>${error}`);
    assert.equal(withRefused('<DeleteResult xmlns="x"/>', refused), `<DeleteResult xmlns="x">${error}`);
  });
});

describe("every operation of S3's model", () => {
  test("does not reach the server for somebody without permission, nor without a signature", async () => {
    const Bucket = await bucket("every", ["a"]);
    const nobody = await user([]);
    const { operations } = readModule(s3 as never);
    assert.ok(operations.size > 90);
    for (const { name, input: schema } of operations.values()) {
      // Of Object Lambda, which has a host of its own.
      if (name === "WriteGetObjectResponse") continue;
      const Command = (s3 as unknown as Record<string, new (input: unknown) => never>)[`${name}Command`]!;
      const input = { ...minimalInput(schema, { constraints: {} } as never), Bucket, ...(name.includes("Bucket") ? {} : { Key: "a" }) };
      const given = { ...input, CopySource: `${Bucket}/a`, RenameSource: "/a", Policy: "{}", RequestRoute: "a", RequestToken: "b" };
      const known = Object.fromEntries(
        Object.entries(given).filter(([member]) => schema.isUnitSchema() || [...schema.structIterator()].some(([of]) => of === member)),
      );
      const listed = name === "DeleteObjects" ? { Bucket, Delete: { Objects: [{ Key: "a" }] } } : known;
      for (const credentials of [nobody, nameless]) {
        arrived = [];
        const outcome = await credentials.send(new Command(listed)).then(
          (answer) => (answer as DeleteObjectsOutput).Errors?.[0]?.Code ?? "allowed",
          (error: Error & { $metadata?: { httpStatusCode?: number } }) =>
            `${error.name} ${error.$metadata?.httpStatusCode ?? error.message}`,
        );
        assert.deepEqual(arrived, [], `${name} reached the server: ${outcome}`);
        assert.match(outcome, /^(AccessDenied|\w+ (403|405|301|400))/, name);
      }
    }
  });
});
