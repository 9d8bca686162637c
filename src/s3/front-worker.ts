/** The thread that owns the public port, so that bulk data never delays the control plane. Started by front.ts. */
/* oxlint-disable unicorn/require-post-message-target-origin -- threads, not windows */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { parentPort } from "node:worker_threads";
import { createServer } from "../node-http.ts";
import { overHttp, type WholeAnswer, type WholeRequest } from "../api/http.ts";
import { openBucketFacts } from "../access/bucket-facts.ts";
import { openEmrfsRoles } from "../access/emrfs-roles.ts";
import { openKeyLookup } from "../access/keys.ts";
import { openPolicySource } from "../access/policy-source.ts";
import { rarely, usedAgainMs } from "../access/rarely.ts";
import type { Verified } from "../aws/sigv4-verify.ts";
import { openAudit } from "../observe/audit.ts";
import { openDataRules } from "../observe/data-rules.ts";
import { keepCompiled } from "../compile-cache.ts";
import type { BucketChange } from "../store/buckets.ts";
import { createAdmission } from "./admission.ts";
import { agentsLink, noAnswer } from "./link.ts";
import type { FromWorker, ToWorker, WorkerOptions } from "./front.ts";
import { createRecorder } from "./recorder.ts";
import { keepUnwritten } from "../observe/unwritten.ts";
import { serveObjects } from "./objects.ts";
import { noServer } from "./no-server.ts";
import { serviceOf } from "./routing.ts";
import { together } from "./together.ts";

const options = await new Promise<WorkerOptions>((resolve) => parentPort?.once("message", resolve));
const keys = openKeyLookup(options.databasePath);
const policies = openPolicySource(options.databasePath);
const emrfs = openEmrfsRoles(options.databasePath, policies);
const facts = openBucketFacts(options.databasePath);
const audits = options.audits && {
  event: keepUnwritten(openAudit(options.audits.event)),
  data: keepUnwritten(openAudit(options.audits.data)),
  rules: openDataRules(options.databasePath),
};
const forward = agentsLink(options.linkSocket, options.limits.bodyMs, (error) =>
  tell({ kind: "fault", requestId: "-", message: `the agents' link does not answer: ${error.message}` }),
);
let s3 = options.s3;
if (audits) setInterval(() => [audits.event, audits.data].forEach((audit) => audit.settle()), 1000).unref();

function tell(message: FromWorker): void {
  parentPort?.postMessage(message);
}

function closeDatabase(): void {
  for (const opened of [keys, policies, emrfs, facts, ...Object.values(audits ?? {})]) opened.close();
}

/** The control plane's thread writes; these wait for its word. */
const changing = new Map<number, (error: string | undefined) => void>();
let changes = 0;

function change(made: BucketChange): Promise<void> {
  const number = ++changes;
  return new Promise((resolve, reject) => {
    changing.set(number, (error) => (error === undefined ? resolve() : reject(new Error(error))));
    tell({ kind: "change", number, change: made });
  });
}

/** Requests of APIs that the control plane's thread has; it is asked once a request is there as a whole. */
const asking = new Map<number, (answer: WholeAnswer | undefined) => void>();
let asked = 0;

// What several clients have sent by now.
const askSoon = together<[number, WholeRequest]>(setImmediate, (requests) => tell({ kind: "asked", requests }));

const ask = overHttp(async (request) => {
  const number = ++asked;
  const { promise, resolve } = Promise.withResolvers<WholeAnswer | undefined>();
  asking.set(number, resolve);
  askSoon([number, request]);
  return (await promise) ?? noAnswer;
}, options.limits.bodyMs);

const isNewUse = rarely(usedAgainMs, () => performance.now());

/** Of requests that were turned away, since it was last told. */
const turnedAway = new Map<string, number>();
const tellAfterMs = 1000;

function count(what: string): void {
  if (turnedAway.size === 0) setTimeout(tellTurnedAway, tellAfterMs).unref();
  turnedAway.set(what, (turnedAway.get(what) ?? 0) + 1);
}

function tellTurnedAway(): void {
  const counts = [...turnedAway].map(([what, number]) => `${number} ${what}`);
  turnedAway.clear();
  tell({ kind: "fault", requestId: "-", message: `requests turned away: ${counts.join(", ")}` });
}

const fault = (requestId: string, error: unknown) => tell({ kind: "fault", requestId, message: String(error) });
const now = () => new Date();

const objects = {
  record: audits && createRecorder({ ...audits, buckets: facts, now, region: options.audits!.region, fault }),
  refused: (kind: string, sourceIp: string) => count(`of s3 from ${sourceIp}, signature refused (${kind})`),
  keys,
  policies,
  emrfs,
  buckets: { ...facts, change },
  server() {
    if (!s3) throw noServer;
    return s3;
  },
  now,
  fault,
  used({ key: { accessKeyId }, claim }: Verified) {
    if (isNewUse(accessKeyId))
      tell({ kind: "used", use: { accessKeyId, service: "s3", region: claim.scope.region || (s3?.region ?? "") } });
  },
};

const admit = createAdmission(options.limits, (service) => count(`of ${service} throttled, too many at once`));

const { headersMs } = options.limits;
const server = createServer({
  keepAliveTimeout: 65_000,
  headersTimeout: headersMs,
  // Node looks every half a minute: whoever is late would have half a minute more.
  connectionsCheckingInterval: Math.min(5_000, headersMs),
  requestTimeout: 0,
});
server.maxConnections = options.limits.connections;

function serve(req: IncomingMessage, res: ServerResponse, proceed?: () => void): void {
  const service = serviceOf(req);
  if (service !== undefined && !admit(req, res, service, proceed !== undefined)) return;
  if (service === "s3") {
    void serveObjects(req, res, objects, proceed);
    return;
  }
  proceed?.();
  if (service === undefined) forward(req, res);
  else ask(req, res);
}

server.on("request", (req, res) => serve(req, res));
server.on("checkContinue", (req, res) => serve(req, res, () => res.writeContinue()));

parentPort?.on("message", (message: ToWorker) => {
  if (message.kind === "answered") {
    for (const [number, answer] of message.answers) {
      asking.get(number)?.(answer);
      asking.delete(number);
    }
  } else if (message.kind === "s3") s3 = message.s3;
  else if (message.kind === "changed") {
    changing.get(message.number)?.(message.error);
    changing.delete(message.number);
  } else {
    parentPort?.close();
    server.close(closeDatabase);
    server.closeAllConnections();
  }
});

server.on("error", (error: NodeJS.ErrnoException) => {
  tell({ kind: "failed", message: error.message, code: error.code });
  parentPort?.close();
  closeDatabase();
});
server.listen(options.port, options.host, () => {
  tell({ kind: "listening", port: (server.address() as AddressInfo).port });
  keepCompiled();
});
