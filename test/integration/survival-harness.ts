/** What tests of survival do to a real Howdah: they look at its store from outside, and kill. */
import assert from "node:assert/strict";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { nodeVariable } from "../../src/data-folder.ts";
import { type KnownProcess, findByEnvironment, signal } from "../../src/process/known.ts";
import { runningControlPlane } from "../../src/running.ts";
import { type Howdah, releaseLabel, until } from "./howdah.ts";

export const commandOf = (pid: number): string => {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
  } catch {
    return ""; // Ended.
  }
};

export const processesOf = (instanceId: string): KnownProcess[] => findByEnvironment(nodeVariable, instanceId);

export const agentsOf = (instanceId: string): KnownProcess[] =>
  processesOf(instanceId).filter(({ pid }) => /^\S*\/node .*agent\/main\.(ts|js)/.test(commandOf(pid)));

/** EMR's API through the real aws CLI, and what goes beyond it. */
export function createDriver(howdah: Howdah) {
  const emr = (...args: string[]) => howdah.aws("emr", ...args);
  const instancesOf = async (id: string): Promise<{ id: string; state: string; address: string }[]> =>
    (await emr("list-instances", "--cluster-id", id)).Instances.map((instance: any) => ({
      id: instance.Ec2InstanceId,
      state: instance.Status.State,
      address: instance.PrivateIpAddress,
    }));
  const describe = (id: string) => howdah.cluster(id);
  const stateOf = async (id: string): Promise<string> => (await describe(id)).Status.State;
  const stepStatus = async (id: string, stepId: string) => (await howdah.step(id, stepId)).Status;

  return {
    describe,
    stateOf,
    instancesOf,
    stepStatus,
    create: async (count: number, ...more: string[]): Promise<string> => {
      const size = ["--instance-type", "m5.xlarge", "--instance-count", String(count)];
      const where = ["--use-default-roles", "--log-uri", "s3://work/logs/"];
      return (await emr("create-cluster", "--release-label", releaseLabel, ...size, ...where, ...more)).ClusterId;
    },
    reaches: (id: string, wanted: string) =>
      until(`${id} ${wanted}`, async () => {
        const { State, StateChangeReason } = (await describe(id)).Status;
        if (State !== wanted && State.startsWith("TERMINATED")) throw new Error(`${id} is ${State}: ${StateChangeReason.Message}`);
        return State === wanted;
      }),
    addStep: async (id: string, step: object): Promise<string> =>
      (await emr("add-steps", "--cluster-id", id, "--steps", JSON.stringify([step]))).StepIds[0],
    stepEnd: (id: string, stepId: string) =>
      until(`the end of ${stepId}`, async () => {
        const status = await stepStatus(id, stepId);
        return !["PENDING", "RUNNING"].includes(status.State) && status;
      }),
    stepOutput: async (stepId: string, name = "stdout"): Promise<string> => {
      const files = readdirSync(howdah.data.nodes).map((node) => join(howdah.data.node(node), "logs", "steps", stepId, name));
      return readFileSync(files.find((file) => existsSync(file)) ?? files[0]!, "utf8");
    },
    terminate: (id: string) => emr("terminate-clusters", "--cluster-ids", id),
    async killControlPlane(): Promise<void> {
      const running = runningControlPlane(howdah.data);
      assert.ok(running, "a control plane runs");
      signal(running, "SIGKILL");
      await until("the control plane's end", async () => !runningControlPlane(howdah.data));
    },
  };
}

/** A step of command-runner.jar. */
export const command = (Name: string, ...Args: string[]) => ({
  Name,
  Type: "CUSTOM_JAR",
  Jar: "command-runner.jar",
  ActionOnFailure: "CONTINUE",
  Args,
});
