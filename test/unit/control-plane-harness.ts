/** The control plane without HTTP, engines and processes: a real store in memory, the real reconcilers, and a provider that only remembers. */
import type { RunJobFlowInput, StepConfig } from "@aws-sdk/client-emr";
import { pino } from "pino";
import type { Report } from "../../src/agent/manifest.ts";
import { emrHandlers } from "../../src/api/emr/handlers.ts";
import type { RequestContext } from "../../src/aws/operations.ts";
import type { Clock } from "../../src/clock.ts";
import type { Config } from "../../src/config.ts";
import { createSpotMarket } from "../../src/market/spot.ts";
import type { InstanceObservation, LaunchSpec, Provider } from "../../src/providers/provider.ts";
import type { ReconcileContext } from "../../src/reconcile/context.ts";
import { createReconcilers } from "../../src/reconcile/reconcilers.ts";
import { createSilence } from "../../src/reconcile/silence.ts";
import { createWaits } from "../../src/reconcile/waits.ts";
import { insertResource } from "../../src/store/ec2-resources.ts";
import { defaultVpc, ensureRegionIn } from "../../src/store/ec2-vpcs.ts";
import { makeIds } from "../../src/store/ids.ts";
import { instancesOf, recordReport } from "../../src/store/instances.ts";
import { openStore } from "../../src/store/store.ts";
import { createAccount } from "../../src/store/accounts.ts";
import { adminKey } from "./keys.ts";
import { finishWake, firstWakes, postponeWake } from "../../src/store/wakes.ts";

export class PassiveProvider implements Provider {
  readonly name = "simulated";
  readonly launched = new Map<string, LaunchSpec>();
  readonly observations = new Map<string, InstanceObservation>();
  readonly networks = new Map<string, string>();
  readonly reclaimed: string[] = [];
  failLaunches = 0;
  failReclaims = 0;

  async claimNetwork(clusterId: string, current: string | undefined): Promise<string> {
    const network = current ?? this.networks.get(clusterId) ?? `127.64.${this.networks.size + 1}`;
    this.networks.set(clusterId, network);
    return network;
  }
  async releaseNetwork(clusterId: string): Promise<void> {
    this.networks.delete(clusterId);
  }
  async launch(spec: LaunchSpec): Promise<void> {
    if (this.failLaunches-- > 0) throw new Error("the host could not do it this time");
    this.launched.set(spec.instanceId, spec);
    this.observations.set(spec.instanceId, "running");
  }
  async observe(instanceId: string): Promise<InstanceObservation> {
    return this.observations.get(instanceId) ?? "absent";
  }
  async terminate(instanceId: string): Promise<void> {
    this.observations.delete(instanceId);
  }
  async list(): Promise<string[]> {
    return [...this.observations.keys()];
  }
  async reclaim(instanceId: string): Promise<void> {
    if (this.failReclaims-- > 0) throw new Error("the folder is in use");
    this.reclaimed.push(instanceId);
  }
}

/** `path`: of the store; its account is made anew. `clock`: where its time is not to be set by the test. */
export async function harness(path = ":memory:", clock?: Omit<Clock, "after">) {
  let now = Date.UTC(2026, 0, 1);
  const releases: Config["releases"] = { substitute: false, missingApplications: "refuse" };
  let steady = 1_000;
  const store = await openStore(path, { clock: clock ?? { now: () => now, steady: () => steady } });
  const provider = new PassiveProvider();
  const ids = makeIds();
  await store.transaction(async (tx) => {
    await createAccount(tx, ids, "default", adminKey.principal.accountId);
    // As every start does.
    await tx.wake("watch", "instances");
  });
  const context: ReconcileContext = {
    store,
    provider,
    ids,
    waits: createWaits(store.steady),
    market: createSpotMarket(),
    silence: createSilence(store.steady),
    unhealthyMs: 45 * 60_000,
    keepEndedMs: 61 * 24 * 3600_000,
    log: pino({ level: "silent" }),
    engines: () => "there",
    portsTaken: () => [],
    freeMemoryMb: () => 16_000,
  };
  const reconcilers = {
    ...createReconcilers(context),
    trail: async () => ({ done: true }) as const,
  };
  const request: RequestContext = {
    requestId: "r",
    region: "us-east-1",
    accountId: "123456789012",
    principal: adminKey.principal,
    accessKeyId: "AKIA",
    sourceIp: "127.0.0.1",
    secure: false,
    userAgent: "test",
    now: new Date(now),
    unknownMembers: [],
  };
  const handlers = emrHandlers({ store, ids, releases });
  let seq = 0;

  return {
    store,
    ids,
    provider,
    context,
    handlers,
    request,
    /** Settings of howdah.json. */
    releases,
    advance: (ms: number) => {
      now += ms;
      steady += ms;
    },
    /** Somebody sets the clock, or a laptop wakes up. */
    setClock: (byMs: number) => {
      now += byMs;
    },
    /** Runs one reconciler now. */
    reconcile: (kind: keyof typeof reconcilers, id: string) => reconcilers[kind](id),
    /** Runs every reconciler that is due until none is. What fails is due again after a back-off. */
    async settle(): Promise<void> {
      for (let round = 0; round < 100; round++) {
        const due = (await firstWakes(store.db, 1000)).filter((wake) => wake.due_at <= steady);
        if (due.length === 0) return;
        for (const wake of due) {
          try {
            const outcome = await reconcilers[wake.kind](wake.id);
            if ("done" in outcome) await finishWake(store.db, wake);
            else await postponeWake(store.db, wake, steady + outcome.againMs, 0);
          } catch {
            await postponeWake(store.db, wake, steady + 250, wake.failures + 1);
          }
        }
      }
      throw new Error("the reconcilers do not come to rest");
    },
    /** What an agent would report of its node. */
    async report(instanceId: string, change: Partial<Report>): Promise<void> {
      const report: Report = {
        instanceId,
        bootId: "boot",
        seq: ++seq,
        generation: 1,
        phase: "ready",
        bootstrapActions: [],
        daemons: [],
        tasks: [],
        steps: [],
        warnings: [],
        ...change,
      };
      context.silence.begin(instanceId, seq);
      await store.transaction(async (tx) => {
        await recordReport(tx, report);
        const instance = await tx.db.selectFrom("instances").select("cluster_id").where("id", "=", instanceId).executeTakeFirstOrThrow();
        await tx.wake("cluster", instance.cluster_id);
        await tx.wake("steps", instance.cluster_id);
      });
    },
  };
}

export type Harness = Awaited<ReturnType<typeof harness>>;

/** Of what kind an instance of a group is. */
export const m5 = { instance_type: "m5.xlarge", market: "ON_DEMAND", weight: 1, type_config: null } as const;

/** A step of one word. */
export const step = (Name: string, ActionOnFailure: StepConfig["ActionOnFailure"] = "CONTINUE"): StepConfig => ({
  Name,
  ActionOnFailure,
  HadoopJarStep: { Jar: "command-runner.jar", Args: ["true"] },
});

/** What of EC2 a cluster can name, in the default VPC: the key pair `mine`, the subnet `subnet-1` in us-east-1b, the groups `sg-1` to `sg-5`. */
export async function makeNetwork(h: Harness): Promise<void> {
  const { store, ids, request } = h;
  await store.transaction(async (tx) => {
    await ensureRegionIn(tx, ids, request);
    const vpcId = (await defaultVpc(tx.db, request))!.id;
    const key = { name: "mine", type: "ed25519", fingerprint: "f", publicKey: "ssh-ed25519 AAAA mine" } as const;
    await insertResource(tx, request, "key-pair", { id: "key-1", vpcId: null, spec: key });
    const subnet = { cidr: "172.31.64.0/24", zone: "us-east-1b", isDefault: false, mapPublicIpOnLaunch: false };
    await insertResource(tx, request, "subnet", { id: "subnet-1", vpcId, spec: subnet });
    for (const id of ["sg-1", "sg-2", "sg-3", "sg-4", "sg-5"])
      await insertResource(tx, request, "security-group", { id, vpcId, spec: { name: id, description: id, rules: [] } });
  });
}

/** A cluster of 1 + 2 nodes, launched, whose agents have not reported yet. */
export async function create(h: Harness, change: Partial<RunJobFlowInput> = {}, keepAlive = true): Promise<string> {
  const output = await h.handlers.RunJobFlow!(
    {
      Name: "test",
      ReleaseLabel: "emr-7.13.0",
      LogUri: "s3://logs/x",
      Instances: {
        MasterInstanceType: "m5.xlarge",
        SlaveInstanceType: "m5.xlarge",
        InstanceCount: 3,
        KeepJobFlowAliveWhenNoSteps: keepAlive,
      },
      ...change,
    } as never,
    h.request,
  );
  await h.settle();
  return output.JobFlowId ?? "";
}

export const state = async (h: Harness, ClusterId: string) => (await h.handlers.DescribeCluster!({ ClusterId }, h.request)).Cluster?.Status;
/** In order of submission. */
export const stepStates = async (h: Harness, ClusterId: string) =>
  (await h.handlers.ListSteps!({ ClusterId } as never, h.request)).Steps?.map((s) => s.Status?.State).toReversed();

/** Every node reports that it is ready. The master's id. */
export async function makeReady(h: Harness, clusterId: string): Promise<string> {
  const instances = await instancesOf(h.store.db, clusterId);
  for (const { id } of instances) await h.report(id, {});
  await h.settle();
  return instances[0]?.id ?? "";
}
