/**
 * Our control plane without engines, in a process of its own: `node bench/api/server.ts FOLDER`, by servers.ts, which is told the port and the
 * admin's key. Store, audit trail and log on the disk, front door, pipeline and reconcilers are those of src/control-plane.ts; the nodes are
 * simulated, and take as long as EMR's.
 */
import { pino } from "pino";
import { createSpotMarket } from "../../src/market/spot.ts";
import { createAuthoriser } from "../../src/access/authorise.ts";
import { openBucketFacts } from "../../src/access/bucket-facts.ts";
import { openKeyLookup } from "../../src/access/keys.ts";
import { openPolicySource } from "../../src/access/policy-source.ts";
import { openResourceFacts } from "../../src/access/resource-facts.ts";
import type { Answerer } from "../../src/api/http.ts";
import { createPipeline } from "../../src/api/pipeline.ts";
import { createServices } from "../../src/api/services.ts";
import { systemClock } from "../../src/clock.ts";
import { dataFolder } from "../../src/data-folder.ts";
import { makeFolders } from "../../src/files.ts";
import { openAudit } from "../../src/observe/audit.ts";
import { keepAudit, writeByTurns } from "../../src/observe/keep.ts";
import { auditEvent } from "../../src/observe/record.ts";
import { createPrecedence } from "../../src/precedence.ts";
import { paces } from "../../src/providers/simulated/pace.ts";
import { createSimulatedProvider } from "../../src/providers/simulated/provider.ts";
import { createLoop } from "../../src/reconcile/loop.ts";
import { createReconcilers } from "../../src/reconcile/reconcilers.ts";
import { createSilence } from "../../src/reconcile/silence.ts";
import { simulatedLink } from "../../src/reconcile/simulated-link.ts";
import { createWaits } from "../../src/reconcile/waits.ts";
import { controlPlaneLog, linkSocket } from "../../src/running.ts";
import { directS3 } from "../../src/s3/direct.ts";
import { startFront } from "../../src/s3/front.ts";
import { adminKey, ensureAccounts } from "../../src/store/accounts.ts";
import { makeIds } from "../../src/store/ids.ts";
import { createKeyUse } from "../../src/store/key-use.ts";
import { openStore } from "../../src/store/store.ts";
import { region } from "./generator.ts";
import type { Started } from "./servers.ts";

const data = dataFolder(process.argv[2]);
for (const folder of [data.root, data.logs]) makeFolders(folder);
const log = pino({ level: "info" }, pino.destination({ dest: controlPlaneLog(data), sync: true }));
const store = await openStore(data.database);
const ids = makeIds();
const [account] = await store.transaction((tx) => ensureAccounts(tx, ids));
const key = (await adminKey(store.db, account!.id))!;

const audits = { event: openAudit(data.audit), data: openAudit(data.dataEvents) };
keepAudit(audits, store.now, log);
const buckets = openBucketFacts(data.database);
const s3 = { endpoint: "http://127.0.0.1:9", accessKeyId: "", secretAccessKey: "", region };
const keyUsed = createKeyUse(store, (error) => log.warn({ err: error }, "the use of a key could not be written down"));

const { promise: answering, resolve: answerWith } = Promise.withResolvers<Answerer>();
const front = await startFront({
  host: "127.0.0.1",
  port: 0,
  databasePath: data.database,
  linkSocket: linkSocket(data),
  answer: async (request) => (await answering)(request),
  s3,
  audits: { event: data.audit, data: data.dataEvents, region },
  changeBucket: async () => {},
  log: (fault) => log.error(fault, "a fault behind the front door"),
});

const precedence = createPrecedence();
const silence = createSilence(store.steady);
const provider = createSimulatedProvider({
  clock: systemClock,
  pace: paces.real,
  ...simulatedLink({ store, silence }),
  outcomeOf: () => ({ afterMs: paces.real.stepMs, exitCode: 0 }),
});
store.onManifest = (clusterId) => provider.manifestChanged(clusterId);
const market = createSpotMarket();
const context = {
  store,
  provider,
  ids,
  market,
  waits: createWaits(store.steady),
  silence,
  unhealthyMs: Infinity,
  keepEndedMs: Infinity,
  log,
  engines: () => "there" as const,
  portsTaken: () => [],
  freeMemoryMb: () => Infinity,
};
const loop = createLoop(
  store,
  {
    ...createReconcilers(context),
    trail: async () => ({ done: true }),
  },
  systemClock,
  log,
  precedence.quiet,
);
const writeDown = writeByTurns(audits.event);
const pipeline = createPipeline({
  services: createServices({
    store,
    ids,
    market,
    releases: { substitute: false, missingApplications: "refuse" },
    audits,
    s3: directS3(() => s3),
    buckets,
    catalogs: undefined,
  }),
  keys: openKeyLookup(data.database),
  authorise: createAuthoriser(openPolicySource(data.database), openResourceFacts(data.database)),
  now: () => new Date(store.now()),
  durable: store.durable,
  audit(call) {
    keyUsed({ accessKeyId: call.accessKeyId, service: call.service.signingName, region: call.region });
    return writeDown(auditEvent(call));
  },
  log: ({ fault, ...record }) => (fault ? log.error({ ...record, err: fault }, "request failed") : log.info(record, "request")),
});
answerWith(precedence.first(pipeline));
await loop.start();
process.send?.({ port: front.port, accessKeyId: key.access_key_id, secretAccessKey: key.secret_access_key } satisfies Started);
// Its parent is gone, or wants it to end: its folder is removed by it.
process.once("disconnect", () => process.exit());
