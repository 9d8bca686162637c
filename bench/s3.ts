/**
 * What the front door costs S3: `node bench/s3.ts [--rounds N] [--small N] [--mb N]`. Small objects per second and the speed of one large one, by
 * the door as several users, with and without a trail that asks for objects, beside the same requests to s3proxy itself. All take turns.
 * Needs what `npm test` sets up.
 */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { Agent, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { sha256Hex, signRequest, unsignedPayload } from "../src/aws/sigv4.ts";
import { dataFolder, ownerVariable } from "../src/data-folder.ts";
import { openAudit } from "../src/observe/audit.ts";
import { releaseLabels } from "../src/releases/release.ts";
import { startFront } from "../src/s3/front.ts";
import { ensureS3Proxy, stopS3Proxy } from "../src/s3/s3proxy.ts";
import { readInstallation } from "../src/setup.ts";
import { insertUserKey } from "../src/store/access-keys.ts";
import { adminKey, ensureAccounts } from "../src/store/accounts.ts";
import { changeBucket } from "../src/store/buckets.ts";
import { addMember, insertEntity } from "../src/store/iam-entities.ts";
import { attachPolicy, putInlinePolicy } from "../src/store/iam-policies.ts";
import { makeIds } from "../src/store/ids.ts";
import { openStore, type Tx } from "../src/store/store.ts";
import { deleteTrail, insertTrail, openSpan } from "../src/store/trails.ts";
import { median } from "./figures.ts";

const { values: options } = parseArgs({
  options: {
    rounds: { type: "string", default: "3" },
    small: { type: "string", default: "2000" },
    mb: { type: "string", default: "256" },
  },
});
const [rounds, small, megabytes] = [options.rounds, options.small, options.mb].map(Number) as [number, number, number];
/** Requests at one time. */
const width = 8;
const bucket = "bench";
const region = "us-east-1";

interface Target {
  endpoint: string;
  accessKeyId: string;
  secretAccessKey: string;
}

const agent = new Agent({ keepAlive: true, maxSockets: width });
const piece = Buffer.alloc(1 << 16, "s3");
const smallBody = Buffer.alloc(1024, "x");
const smallHash = sha256Hex(smallBody);
const noHash = sha256Hex("");

/** Sends `size` bytes (of `piece`, again and again, or `body`) and takes all of the answer; throws where it is no success. */
function ask(target: Target, method: string, path: string, body: Buffer | number | undefined): Promise<number> {
  const url = new URL(path, target.endpoint);
  const payloadHash = body === undefined ? noHash : typeof body === "number" ? unsignedPayload : smallHash;
  const headers = signRequest({ method, url, headers: {}, payloadHash, credentials: target, region, service: "s3", now: new Date() });
  const length = typeof body === "number" ? body : (body?.length ?? 0);
  return new Promise((resolve, reject) => {
    const sent = request(url, { method, agent, headers: { ...headers, ...(body === undefined ? {} : { "content-length": length }) } });
    sent.once("error", reject);
    sent.once("response", (answer) => {
      let received = 0;
      answer.on("data", (chunk: Buffer) => (received += chunk.length));
      answer.once("error", reject);
      answer.once("end", () => {
        if (answer.statusCode === 200) resolve(received);
        else reject(new Error(`${method} ${path}: ${answer.statusCode}`));
      });
    });
    if (typeof body !== "number") {
      sent.end(body);
      return;
    }
    let left = body;
    const more = () => {
      while (left > 0) {
        left -= piece.length;
        if (!sent.write(piece)) {
          sent.once("drain", more);
          return;
        }
      }
      sent.end();
    };
    more();
  });
}

/** Per second. */
async function many(one: (i: number) => Promise<unknown>): Promise<number> {
  let next = 0;
  const from = performance.now();
  const worker = async () => {
    while (next < small) await one(next++);
  };
  await Promise.all(Array.from({ length: width }, worker));
  return (small / (performance.now() - from)) * 1000;
}

/** MB/s */
async function large(work: () => Promise<unknown>): Promise<number> {
  const from = performance.now();
  await work();
  return (megabytes / (performance.now() - from)) * 1000;
}

const size = megabytes * 1_000_000 - ((megabytes * 1_000_000) % piece.length);
const measures: [name: string, unit: string, run: (target: Target) => Promise<number>][] = [
  ["put 1 KiB", "/s", (target) => many((i) => ask(target, "PUT", `/${bucket}/small/${i % 500}`, smallBody))],
  ["get 1 KiB", "/s", (target) => many((i) => ask(target, "GET", `/${bucket}/small/${i % 500}`, undefined))],
  [`put ${megabytes} MB`, "MB/s", (target) => large(() => ask(target, "PUT", `/${bucket}/large`, size))],
  [`get ${megabytes} MB`, "MB/s", (target) => large(() => ask(target, "GET", `/${bucket}/large`, undefined))],
];

const installation = readInstallation(releaseLabels()[0] ?? "");
if ("missing" in installation) throw new Error(`run npm test once, which sets up: ${installation.missing.join(", ")}`);
const root = mkdtempSync(join(tmpdir(), "howdah-bench-s3-"));
const data = dataFolder(root);
mkdirSync(data.run, { recursive: true });
const store = await openStore(data.database);
const ids = makeIds();
const [account] = await store.transaction((tx) => ensureAccounts(tx, ids));
const accountId = account!.id;
const proxy = await ensureS3Proxy({
  data,
  jar: installation.s3proxy.jar,
  javaHome: installation.javaHome,
  ownerEnv: { [ownerVariable]: data.root },
});
const audits = [openAudit(data.audit), openAudit(data.dataEvents)];
const front = await startFront({
  host: "127.0.0.1",
  port: 0,
  databasePath: data.database,
  linkSocket: join(root, "none.sock"),
  answer: () => Promise.reject(new Error("of S3 alone")),
  s3: proxy,
  audits: { event: data.audit, data: data.dataEvents, region },
  changeBucket: (change) => store.transaction((tx) => changeBucket(tx, change)),
  log: ({ message }) => console.error(message),
});
const endpoint = `http://127.0.0.1:${front.port}`;

/** In a group, with eight policies of ten statements each, by prefix and tag, and AWS's own beside; what allows comes last. */
async function userOfManyPolicies(tx: Tx): Promise<{ access_key_id: string; secret_access_key: string }> {
  const user = await insertEntity(tx, ids, { account_id: accountId, kind: "user", name: "many", path: "/" });
  const group = await insertEntity(tx, ids, { account_id: accountId, kind: "group", name: "many", path: "/" });
  await addMember(tx, group.id, user.id);
  for (const [index, owner] of Array.from({ length: 8 }, (_, i) => [i, i % 2 === 0 ? user : group] as const)) {
    const Statement = Array.from({ length: 10 }, (_, n) => ({
      Effect: index === 7 && n === 9 ? "Allow" : "Deny",
      Action: ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"],
      Resource: `arn:aws:s3:::${bucket}/${index === 7 && n === 9 ? "*" : `team-${index}-${n}/*`}`,
      Condition: index === 7 && n === 9 ? { IpAddress: { "aws:SourceIp": "127.0.0.0/8" } } : { StringLike: { "aws:username": `u${n}*` } },
    }));
    await putInlinePolicy(tx, owner.id, `p${index}`, JSON.stringify({ Version: "2012-10-17", Statement }));
  }
  for (const name of ["AmazonElasticMapReduceReadOnlyAccess", "IAMReadOnlyAccess"])
    await attachPolicy(tx, user.id, `arn:aws:iam::aws:policy/${name}`);
  return insertUserKey(tx, ids, user);
}

const target = (key: { access_key_id: string; secret_access_key: string }, at = endpoint): Target => ({
  endpoint: at,
  accessKeyId: key.access_key_id,
  secretAccessKey: key.secret_access_key,
});
const admin = target((await adminKey(store.db, accountId))!);
const many8 = target(await store.transaction(userOfManyPolicies));
const arn = `arn:aws:cloudtrail:${region}:${accountId}:trail/t`;
const DataResources = [{ Type: "AWS::S3::Object", Values: [`arn:aws:s3:::${bucket}/`] }];
const basic = [{ ReadWriteType: "All" as const, IncludeManagementEvents: false, DataResources, ExcludeManagementEventSources: [] }];
const trail = { on: false };

async function setTrail(on: boolean): Promise<void> {
  if (on === trail.on) return;
  trail.on = on;
  await store.transaction(async (tx) => {
    if (!on) return deleteTrail(tx, arn);
    const wish = { bucket: "logs", prefix: null, multi_region: 1, global_events: 1 };
    await insertTrail(tx, { arn, account_id: accountId, region, name: "t", ...wish });
    await openSpan(tx, arn, { homeRegion: region, multiRegion: true, globalEvents: true, selectors: { basic } }, { event: 0, data: 0 });
  });
}

const ways: [name: string, target: Target, audited: boolean][] = [
  ["s3proxy itself", { ...proxy }, false],
  ["the door, admin", admin, false],
  ["the door, 8 policies of 10 statements", many8, false],
  ["… and a trail that asks for objects", many8, true],
];

try {
  await ask(admin, "PUT", `/${bucket}`, undefined);
  // What is cold in the JVM, and in ours.
  for (const [, to] of ways.slice(0, 3)) for (const [, , run] of measures.slice(0, 2)) await run(to);
  const figures = ways.map(() => measures.map((): number[] => []));
  for (let round = 0; round < rounds; round++)
    for (const [m, [, , run]] of measures.entries())
      for (let turn = 0; turn < ways.length; turn++) {
        // Who is first changes with every round.
        const w = (turn + round) % ways.length;
        const [, to, audited] = ways[w]!;
        await setTrail(audited);
        figures[w]![m]!.push(await run(to));
      }
  console.log(`| way | ${measures.map(([name]) => name).join(" | ")} |\n|---|${measures.map(() => "---|").join("")}`);
  for (const [w, [name]] of ways.entries()) {
    const cells = measures.map(([, unit], m) => {
      const [ours, floor] = [median(figures[w]![m]!), median(figures[0]![m]!)];
      return `${Math.round(ours)} ${unit}${w === 0 ? "" : ` (${(ours / floor).toFixed(2)})`}`;
    });
    console.log(`| ${name} | ${cells.join(" | ")} |`);
  }
} finally {
  agent.destroy();
  await front.close();
  await stopS3Proxy(data);
  for (const audit of audits) audit.close();
  await store.close();
  rmSync(root, { recursive: true });
}
