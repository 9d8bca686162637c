/** Puts the parts together: store, reconcilers, API, agent link, S3 front door. One process, one public port. */
import { existsSync, mkdirSync, rmSync } from "node:fs";
import type { RequestListener, Server } from "node:http";
import type { Logger } from "pino";
import { createServer } from "./node-http.ts";
import { createAuthoriser } from "./access/authorise.ts";
import { openBucketFacts } from "./access/bucket-facts.ts";
import { openKeyLookup } from "./access/keys.ts";
import { openPolicySource } from "./access/policy-source.ts";
import { openResourceFacts } from "./access/resource-facts.ts";
import type { Answerer } from "./api/http.ts";
import { createPipeline } from "./api/pipeline.ts";
import { createServices } from "./api/services.ts";
import { systemClock } from "./clock.ts";
import { readConfig } from "./config.ts";
import { backupRecord, forgetOriginal, hold, originalOf, readHolder, refuseTornCopy } from "./copies.ts";
import type { DataFolder } from "./data-folder.ts";
import { openAudit } from "./observe/audit.ts";
import { keepAudit, writeByTurns } from "./observe/keep.ts";
import { auditEvent, isReadOnly } from "./observe/record.ts";
import { keepUnwritten } from "./observe/unwritten.ts";
import { makeFolders, writeWhole } from "./files.ts";
import { createSpotMarket } from "./market/spot.ts";
import type { Simulated } from "./nodes/simulated.ts";
import { spotLink } from "./nodes/spot-link.ts";
import { createPrecedence } from "./precedence.ts";
import { bootId, identify } from "./process/known.ts";
import { durably } from "./providers/durably.ts";
import type { ReconcileContext } from "./reconcile/context.ts";
import { createLoop } from "./reconcile/loop.ts";
import { createReconcilers } from "./reconcile/reconcilers.ts";
import { createSilence, silenceLimits } from "./reconcile/silence.ts";
import { takeUpAgain } from "./reconcile/take-up-again.ts";
import { trailReconciler } from "./reconcile/trails.ts";
import { createWaits } from "./reconcile/waits.ts";
import { claimFor, type ControlPlaneRecord, linkSocket, lockDataFolder, readEndpoint, recordPath } from "./running.ts";
import { directS3 } from "./s3/direct.ts";
import { type Front, loadFront, type S3Server, startFront } from "./s3/front.ts";
import { ensureAccounts } from "./store/accounts.ts";
import { changeBucket } from "./store/buckets.ts";
import { leaveNodes } from "./store/copies.ts";
import { makeIds } from "./store/ids.ts";
import { createKeyUse } from "./store/key-use.ts";
import { openStore } from "./store/store.ts";
import { checkStore, orDamaged } from "./store/whole.ts";

export interface ControlPlane {
  /** http://127.0.0.1:PORT */
  endpoint: string;
  /** Ends this process's part only: nodes and the embedded S3 go on, and the next start finds them. */
  stop(): Promise<void>;
}

export interface ControlPlaneOptions {
  data: DataFolder;
  /** From the command line, before what the configuration says. */
  port?: number;
  isolation?: "view" | "plain";
  /** Its nodes are simulated, and how. */
  simulated?: Simulated | undefined;
  log: Logger;
}

const host = "127.0.0.1";

/** Throws, saying what to do, where another one runs already, the engines are missing, or the port is taken; then nothing of it is left. */
export async function startControlPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
  const opened: (() => unknown)[] = [];
  /** The last one that was opened first. What it holds would keep a process alive that could not start. */
  const close = async () => {
    for (let undo = opened.pop(); undo; undo = opened.pop()) await undo();
  };
  try {
    return { endpoint: await open(options, opened), stop: close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function open(options: ControlPlaneOptions, opened: (() => unknown)[]): Promise<string> {
  const { data, log } = options;
  makeFolders(data.root);
  for (const folder of [data.run, data.link, data.logs, data.nodes, data.s3]) mkdirSync(folder, { recursive: true, mode: 0o700 });
  const providerName = options.simulated ? "simulated" : "local";
  const config = readConfig(data.config, providerName);
  const lock = await lockDataFolder(data);
  opened.push(() => lock.close());
  claimFor(data, providerName);
  const original = originalOf(data);
  if (original) refuseTornCopy(data, original);
  // A copy's log was not written by a process that has ended, but read while one wrote.
  const history = {
    hasRun: original !== undefined || existsSync(data.endpoint),
    isSameBoot: original !== undefined || readHolder(data)?.bootId === bootId(),
  };
  // The store is looked through meanwhile.
  const thread = loadFront();
  opened.push(() => thread.terminate());
  for (const warning of checkStore(data.database, history)) log.warn(warning);
  hold(data, original);
  if (original) forgetOriginal(data);
  // Loaded when they are the ones: a server of simulated nodes is to start at once.
  const nodes = options.simulated
    ? (await import("./nodes/simulated.ts")).simulatedNodes(data, options.simulated, log)
    : (await import("./nodes/local.ts")).localNodes(data, options.isolation ?? config.isolation, log, config.volumes);
  const ids = makeIds();
  const store = await openStore(data.database);
  opened.push(() => store.close());
  if (original) {
    log.warn({ original }, "this data folder is a copy: the nodes stayed with the original, and are lost here");
    await store.transaction((tx) => leaveNodes(tx, ids, { root: original.root, hasDisk: (id) => existsSync(data.node(id)) }));
    hold(data);
    rmSync(backupRecord(data.root), { force: true });
  }
  const accounts = await store.transaction((tx) => ensureAccounts(tx, ids));

  const keyUsed = createKeyUse(store, (error) => log.warn({ err: error }, "the use of a key could not be written down"));

  const auditAt = (path: string) => orDamaged(path, () => keepUnwritten(openAudit(path)), "move it away: a new trail begins");
  const audits = { event: await auditAt(data.audit), data: await auditAt(data.dataEvents) };
  opened.push(() => {
    audits.event.close();
    audits.data.close();
  });
  const keeping = keepAudit(audits, store.now, log);
  opened.push(() => keeping.stop());

  let front: Front | undefined;
  let current: S3Server | undefined = config.s3 && { ...config.s3, external: true };
  const started = current
    ? undefined
    : await nodes.startS3((server) => {
        current = server;
        front?.useS3(server);
      });
  if (started) opened.push(started.stop);
  current ??= started?.server;

  const keys = openKeyLookup(data.database);
  opened.push(() => keys.close());
  const policies = openPolicySource(data.database);
  opened.push(() => policies.close());
  const buckets = openBucketFacts(data.database);
  opened.push(() => buckets.close());
  const facts = openResourceFacts(data.database);
  opened.push(() => facts.close());
  // Clients and agents of last time come as soon as the port is open: they wait for what is still being put together.
  const { promise: answering, resolve: answerWith } = Promise.withResolvers<Answerer>();
  const { promise: linking, resolve: linkWith } = Promise.withResolvers<RequestListener>();
  const linkServer = await listenForAgents(data, linking);
  opened.push(() => {
    linkServer.closeAllConnections();
    linkServer.close();
  });
  const before = readEndpoint(data);
  const isAsked = options.port !== undefined || config.port !== 0;
  const doorAt = (port: number) =>
    startFront(
      {
        host,
        port,
        databasePath: data.database,
        linkSocket: linkSocket(data),
        answer: async (request) => (await answering)(request),
        s3: current,
        used: keyUsed,
        audits: { event: data.audit, data: data.dataEvents, region: config.region },
        changeBucket: (change) => store.transaction((tx) => changeBucket(tx, change)),
        limits: config.limits,
        log: (fault) => log.error(fault, "a fault behind the front door"),
      },
      thread,
    );
  front = await doorAt(options.port ?? (config.port || Number(before?.port ?? 0))).catch((error: NodeJS.ErrnoException) => {
    // Nobody asked for the port of last time: where another program has it now, any will do.
    if (error.code !== "EADDRINUSE" || isAsked || !before) throw error;
    return doorAt(0);
  });
  opened.push(() => front?.close());
  if (current) front.useS3(current); // It may have been started again while the door opened.
  const endpoint = `http://${host}:${front.port}`;

  const direct = directS3(() => current);
  const precedence = createPrecedence();
  const silence = createSilence(store.steady, options.simulated ? undefined : silenceLimits(config.silentNodeSeconds * 1000));
  // Goes only into a file of mode 0600.
  const secret = ids.token();
  const joined = await nodes.join({ store, silence }, ids, endpoint, secret);
  const { degree, provider, engines, catalogs, portsTaken, freeMemoryMb, watchMs, handle, stop } = joined;
  opened.push(stop);
  const market = createSpotMarket(config.spot);
  const context: ReconcileContext = {
    store,
    provider: durably(provider, store.durable),
    ids,
    waits: createWaits(store.steady),
    market,
    silence,
    unhealthyMs: config.unhealthyNodeMinutes * 60_000,
    keepEndedMs: config.keepEndedClustersDays * 24 * 3600_000,
    log,
    engines,
    portsTaken,
    freeMemoryMb,
  };
  const loop = createLoop(
    store,
    {
      ...createReconcilers(context, watchMs),
      trail: trailReconciler({ store, audits, s3: direct, buckets, log, everyMs: config.cloudTrail.deliverEverySeconds * 1000 }),
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
      releases: config.releases,
      jvm: config.jvm,
      volumes: config.volumes,
      audits,
      s3: direct,
      buckets,
      catalogs,
    }),
    keys,
    authorise: createAuthoriser(policies, facts),
    now: () => new Date(store.now()),
    admit: (operation) => audits.event.admit(isReadOnly(operation)),
    durable: store.durable,
    audit(call) {
      keyUsed({ accessKeyId: call.accessKeyId, service: call.service.signingName, region: call.region });
      return writeDown(auditEvent(call));
    },
    log: ({ fault, ...record }) => (fault ? log.error({ ...record, err: fault }, "request failed") : log.info(record, "request")),
  });
  const takeBack = spotLink(store, market.noticeMs, secret);
  answerWith(precedence.first(pipeline));
  linkWith((request, response) => {
    if (!handle(request, response) && !takeBack(request, response)) response.writeHead(404).end("no such path of the agent link");
  });

  await takeUpAgain(context, before !== undefined && before.origin !== endpoint);
  writeWhole(data.endpoint, endpoint, 0o644);
  const record: ControlPlaneRecord = { ...identify(process.pid)!, root: data.root, endpoint, region: config.region, secret };
  writeWhole(recordPath(data), JSON.stringify(record));
  opened.push(() => rmSync(recordPath(data), { force: true }));
  await loop.start();
  opened.push(() => loop.stop());
  log.info({ endpoint, degree, accounts: accounts.map(({ id }) => id) }, "howdah is up");

  return endpoint;
}

/** Behind the front door. An agent's token is all that counts, whichever way it comes. */
async function listenForAgents(data: DataFolder, linking: Promise<RequestListener>): Promise<Server> {
  const server = createServer({ keepAliveTimeout: 65_000 }, (request, response) => void linking.then((link) => link(request, response)));
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(linkSocket(data), resolve);
  });
  return server;
}
