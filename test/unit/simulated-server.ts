/** `howdah up --provider simulated` as a process, in a data folder of its own, and the JavaScript SDK that talks to it. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import {
  AddJobFlowStepsCommand,
  DescribeClusterCommand,
  EMRClient,
  ListStepsCommand,
  paginateListSteps,
  RunJobFlowCommand,
  type StepSummary,
} from "@aws-sdk/client-emr";
import { clientEnvironment } from "../../src/cli/env.ts";
import { startDetached, type StartOptions } from "../../src/cli/up.ts";
import { dataFolder } from "../../src/data-folder.ts";
import { endProcess } from "../../src/process/known.ts";
import { runningControlPlane } from "../../src/running.ts";
import { stateChangesOf } from "../../src/store/state-changes.ts";
import { openStore } from "../../src/store/store.ts";
import { takeDown } from "../../src/take-down.ts";

/** `config`: howdah.json's content. */
export async function startServer(options: Omit<StartOptions, "provider"> = {}, config?: object) {
  const data = dataFolder(mkdtempSync(join(tmpdir(), "howdah-server-")));
  if (config) writeFileSync(data.config, JSON.stringify(config));
  const up = () => startDetached(data, { provider: "simulated", ...options });
  await up().catch((error: unknown) => {
    rmSync(data.root, { recursive: true, force: true });
    throw error;
  });
  const credentials = async () => {
    const env = await clientEnvironment(data);
    return {
      endpoint: env.AWS_ENDPOINT_URL!,
      region: env.AWS_REGION!,
      credentials: { accessKeyId: env.AWS_ACCESS_KEY_ID!, secretAccessKey: env.AWS_SECRET_ACCESS_KEY! },
    };
  };
  const client = new EMRClient(await credentials());

  async function cluster(id: string) {
    return (await client.send(new DescribeClusterCommand({ ClusterId: id }))).Cluster!;
  }
  /** In order of submission: name, state and why. */
  async function steps(id: string) {
    const Steps: StepSummary[] = [];
    for await (const page of paginateListSteps({ client }, { ClusterId: id })) Steps.push(...(page.Steps ?? []));
    return Steps.toReversed().map(({ Name, Status }) => ({ name: Name, state: Status?.State, failure: Status?.FailureDetails }));
  }
  /** In order of submission. */
  async function stepIds(id: string) {
    const { Steps = [] } = await client.send(new ListStepsCommand({ ClusterId: id }));
    return Steps.toReversed().map(({ Id = "" }) => Id);
  }
  const stepConfigs = (names: string[]) =>
    names.map((Name) => ({
      Name,
      ActionOnFailure: "CONTINUE" as const,
      HadoopJarStep: { Jar: "command-runner.jar", Args: ["spark-submit", "s3://jobs/etl.py"] },
    }));

  return {
    data,
    client,
    credentials,
    up,
    cluster,
    steps,
    stepIds,
    /** A cluster of a master and two core nodes. */
    async run(names: string[], more: { keepAlive?: boolean; LogUri?: string; actions?: string[] } = {}): Promise<string> {
      const { JobFlowId = "" } = await client.send(
        new RunJobFlowCommand({
          Name: "etl",
          ReleaseLabel: "emr-7.13.0",
          Applications: [{ Name: "Spark" }],
          Instances: {
            MasterInstanceType: "m5.xlarge",
            SlaveInstanceType: "r5.24xlarge",
            InstanceCount: 3,
            KeepJobFlowAliveWhenNoSteps: more.keepAlive ?? true,
          },
          Steps: stepConfigs(names),
          BootstrapActions: (more.actions ?? []).map((Name) => ({ Name, ScriptBootstrapAction: { Path: "s3://jobs/install.sh" } })),
          LogUri: more.LogUri,
          ServiceRole: "EMR_DefaultRole",
          JobFlowRole: "EMR_EC2_DefaultRole",
        }),
      );
      return JobFlowId;
    },
    add: (id: string, names: string[]) => client.send(new AddJobFlowStepsCommand({ JobFlowId: id, Steps: stepConfigs(names) })),
    async reaches(id: string, ...wanted: string[]) {
      for (;;) {
        const { Status } = await cluster(id);
        if (wanted.includes(Status?.State ?? "")) return Status!;
        if (Status?.State?.startsWith("TERMINATED")) throw new Error(`${id} ended: ${JSON.stringify(Status)}`);
        await sleep(20);
      }
    },
    async stepReaches(id: string, name: string, state: string) {
      while ((await steps(id)).findLast((step) => step.name === name)?.state !== state) await sleep(20);
    },
    /** All that the cluster or one of its steps has been, in order, by the events that EMR would send. */
    async states(clusterId: string, name?: string): Promise<string[]> {
      const store = await openStore(data.database);
      try {
        const changes = (await stateChangesOf(store.db, clusterId, 0)).map(({ event }) => event);
        const fitting = changes.filter(({ detail }) =>
          name === undefined ? !detail.stepId && !detail.instanceGroupId : detail.name === name,
        );
        return fitting.map(({ detail }) => String(detail.state));
      } finally {
        await store.close();
      }
    },
    /** kill -9. */
    async kill(): Promise<void> {
      await endProcess(runningControlPlane(data)!, { graceMs: 0 });
    },
    async stop(): Promise<void> {
      client.destroy();
      await takeDown(data);
      rmSync(data.root, { recursive: true, force: true });
    },
  };
}

export type Server = Awaited<ReturnType<typeof startServer>>;
