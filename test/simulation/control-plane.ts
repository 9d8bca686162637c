/** The control plane as src/control-plane.ts puts it together, but for HTTP, IAM, the audit trail and S3: API handlers, store, loop, reconcilers, the nodes' link. */
import { pino } from "pino";
import { TerminateInstances } from "../../src/api/ec2/instances.ts";
import { emrHandlers } from "../../src/api/emr/handlers.ts";
import { AwsError } from "../../src/aws/errors.ts";
import type { RequestContext } from "../../src/aws/operations.ts";
import { emrService } from "../../src/aws/services/emr.ts";
import { validate } from "../../src/aws/validate.ts";
import type { Clock } from "../../src/clock.ts";
import type { SpotMarket } from "../../src/market/spot.ts";
import { durably } from "../../src/providers/durably.ts";
import type { Provider } from "../../src/providers/provider.ts";
import type { ReconcileContext } from "../../src/reconcile/context.ts";
import { giveNotice } from "../../src/reconcile/interruption.ts";
import { createLoop } from "../../src/reconcile/loop.ts";
import { createReconcilers } from "../../src/reconcile/reconcilers.ts";
import { createSilence } from "../../src/reconcile/silence.ts";
import { type SimulatedLink, simulatedLink } from "../../src/reconcile/simulated-link.ts";
import { takeUpAgain } from "../../src/reconcile/take-up-again.ts";
import { createWaits } from "../../src/reconcile/waits.ts";
import { ensureAccounts } from "../../src/store/accounts.ts";
import { makeIds } from "../../src/store/ids.ts";
import type { Connection } from "../../src/store/sqlite.ts";
import { openStore, type Store } from "../../src/store/store.ts";
import { accountId, region } from "./base.ts";
import type { SimulatedClock } from "./clock.ts";
import { createLife, type Disk, type Life, mortal, never } from "./life.ts";

type Handler = (input: unknown, request: RequestContext) => Promise<unknown>;

/** More than half of what happens would be looks at instances of which nothing is new: not every 3 s, as in the real one. */
const watchMs = 15_000;
export const noticeMs = 120_000;

export interface Surroundings {
  connection: Connection;
  clock: SimulatedClock;
  random: (n: number) => Uint8Array;
  disk: Disk;
  /** What of it is called passes through the life that is given. */
  provider(life: Life): Provider;
  /** Of what was written to the disk. */
  sync(clock: Clock): Promise<void>;
  enginesAreThere(): boolean;
  market: SpotMarket;
  /** The host has memory for more nodes. */
  hasMemory(): boolean;
  manifestChanged(clusterId: string): void;
  committed(): void;
  ended(): void;
  /** What its log says of a fault. */
  log(message: string): void;
}

export interface ControlPlane {
  readonly life: Life;
  /** Agents reach it from here on. */
  readonly link: SimulatedLink | undefined;
  /** An operation of EMR, or EC2's TerminateInstances, as the pipeline calls it once the request is authorised. */
  call(operation: string, input: object): Promise<unknown>;
  /** As `howdah drill spot` orders it: nothing comes of it where the instance is none of the market. */
  interrupt(instanceId: string): void;
}

const principal = {
  accountId,
  tags: {},
  sessionPolicies: [],
  clusterId: null,
  type: "IAMUser" as const,
  arn: `arn:aws:iam::${accountId}:user/admin`,
  id: "AIDAADMIN",
  userName: "admin",
};

/** Begins at once; what it needs time for goes on by itself. */
export function beginControlPlane(around: Surroundings): ControlPlane {
  const clock = around.clock.ofProcess();
  const life = createLife(() => {
    clock.end();
    around.ended();
  });
  const ids = makeIds(around.random);
  let link: SimulatedLink | undefined;
  let durable = async () => {};
  let handlers: Record<string, Handler> = {};
  let interrupt = (_instanceId: string): Promise<unknown> => never();

  async function open(): Promise<void> {
    const store = await openStore(":memory:", {
      connection: around.connection,
      clock,
      random: around.random,
      disk: { sync: () => around.sync(clock), close: async () => {} },
      within: (calls) => mortal(calls, life, around.disk, around.committed),
    });
    await store.transaction((tx) => ensureAccounts(tx, ids));
    const log = pino({ level: "error" }, { write: (line: string) => !life.isOver && around.log(line) });
    const context: ReconcileContext = {
      store,
      provider: durably(around.provider(life), store.durable),
      ids,
      waits: createWaits(store.steady),
      market: around.market,
      // Simulated agents say once a minute that they are there.
      silence: createSilence(store.steady, { told: 100_000, lost: 300_000, late: 5_000 }),
      unhealthyMs: 60_000,
      keepEndedMs: 61 * 24 * 3600_000,
      log,
      engines: () => (around.enginesAreThere() ? "there" : { coming: "engines are brought to this machine" }),
      portsTaken: () => [],
      freeMemoryMb: () => (around.hasMemory() ? 6_000 : 0),
    };
    const loop = createLoop(
      store,
      {
        ...createReconcilers(context, watchMs),
        trail: async () => ({ done: true }),
      },
      clock,
      log,
    );
    store.onManifest = (clusterId) => life.isOver || around.manifestChanged(clusterId);
    link = simulatedLink(context);
    ({ durable } = store);
    handlers = handlersOf(store);
    interrupt = (instanceId) => store.transaction((tx) => giveNotice(tx, instanceId, noticeMs, "a fault"));
    await takeUpAgain(context, false);
    await loop.start();
  }

  function handlersOf(store: Store): Record<string, Handler> {
    const emr = emrHandlers({ store, ids, releases: { substitute: false, missingApplications: "refuse" } }) as unknown as Record<
      string,
      Handler
    >;
    return {
      ...emr,
      TerminateInstances: (input, request) => TerminateInstances({ store, ids, market: around.market }, input as never, request),
    };
  }

  void open().catch((error: unknown) => {
    // As systemd would, or whoever started it.
    around.log(`the control plane could not be started: ${String(error)}`);
    life.end();
  });

  return {
    life,
    get link() {
      return life.isOver ? undefined : link;
    },
    interrupt(instanceId) {
      // What a full disk refuses is not to be.
      if (!life.isOver) interrupt(instanceId).catch((error: unknown) => around.log(`no notice: ${String(error)}`));
    },
    async call(operation, input) {
      const handler = handlers[operation];
      if (life.isOver || !handler) return never();
      const schema = emrService.operations.get(operation)?.input;
      const unknownMembers = schema ? validate(schema, input, emrService.constraints) : [];
      const request: RequestContext = {
        requestId: "simulated",
        region,
        accountId,
        principal,
        accessKeyId: "AKIASIMULATED",
        sourceIp: "127.0.0.1",
        secure: false,
        userAgent: "simulation",
        now: new Date(clock.now()),
        unknownMembers,
      };
      // As src/api/pipeline.ts, and whether it is an answer or an error.
      return handler(input, request).finally(() => durable());
    },
  };
}

export type Answer =
  | { kind: "answer"; output: unknown }
  | { kind: "refused"; error: AwsError }
  | { kind: "fault"; error: unknown }
  | { kind: "lost" };
