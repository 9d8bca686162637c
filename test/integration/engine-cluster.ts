/** A real cluster with applications, for the tests of engines: made, used by commands on its master and by steps, and ended. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { type Howdah, releaseLabel, until } from "./howdah.ts";

export interface EngineCluster {
  id: string;
  /** Runs a shell line on the master, as somebody in an ssh session would. Throws with what it says where it does not exit with 0. */
  onMaster(line: string): string;
  /** The same on another node, named as for `howdah ssh`. */
  on(node: string, line: string): string;
  /** Runs a step of command-runner.jar to its end. `log` reads what it wrote, from S3. */
  step(...args: string[]): Promise<{ state: string; log(file: "stdout" | "stderr" | "controller"): Promise<string> }>;
  terminate(): Promise<void>;
}

/** WAITING when this resolves. `core`: core nodes beside the master; `fleets` in place of groups. Its logs are in s3://BUCKET/logs/, and the bucket is made where it is not there. */
export async function engineCluster(
  howdah: Howdah,
  options: { applications: string[]; core?: number; fleets?: object[]; configurations?: object[]; bucket: string; release?: string },
): Promise<EngineCluster> {
  const { applications, core = 1, fleets, configurations = [], bucket, release = releaseLabel } = options;
  await howdah.aws("s3", "mb", `s3://${bucket}`);
  const group = (InstanceGroupType: string, InstanceCount: number) => ({ InstanceGroupType, InstanceCount, InstanceType: "m5.xlarge" });
  const { ClusterId: id } = await howdah.aws(
    ..."emr create-cluster --use-default-roles --release-label".split(" "),
    release,
    "--log-uri",
    `s3://${bucket}/logs/`,
    ...(fleets
      ? ["--instance-fleets", JSON.stringify(fleets)]
      : ["--instance-groups", JSON.stringify([group("MASTER", 1), ...(core > 0 ? [group("CORE", core)] : [])])]),
    "--configurations",
    JSON.stringify(configurations),
    "--applications",
    ...applications.map((name) => `Name=${name}`),
  );
  const state = () => howdah.cluster(id).then(({ Status }) => Status?.State ?? "");
  await until(`${id} to wait`, async () => {
    const now = await state();
    assert.doesNotMatch(now, /^TERMINAT/, JSON.stringify((await howdah.cluster(id)).Status));
    return now === "WAITING";
  });
  function on(node: string, line: string): string {
    const argv = [join(import.meta.dirname, "..", "..", "bin", "howdah.js"), "ssh", "--data", howdah.data.root, id, node, "--"];
    const { status, stdout, stderr } = spawnSync(process.execPath, [...argv, line], { encoding: "utf8", timeout: 600_000 });
    assert.equal(status, 0, `${line}: ${stdout}\n${stderr}`);
    return stdout;
  }
  return {
    id,
    on,
    onMaster: (line) => on("master", line),
    async step(...Args) {
      const steps = [{ Name: Args[0], Type: "CUSTOM_JAR", Jar: "command-runner.jar", ActionOnFailure: "CONTINUE", Args }];
      const { StepIds } = await howdah.aws("emr", "add-steps", "--cluster-id", id, "--steps", JSON.stringify(steps));
      const [stepId] = StepIds;
      const state = await until(`step ${Args.join(" ")}`, async () => {
        const now = (await howdah.step(id, stepId)).Status?.State ?? "";
        return ["COMPLETED", "FAILED", "CANCELLED"].includes(now) && now;
      });
      return { state, log: (file) => howdah.log(bucket, `logs/${id}/steps/${stepId}/${file}.gz`) };
    },
    async terminate() {
      await howdah.aws("emr", "terminate-clusters", "--cluster-ids", id);
      await until(`${id} to end`, async () => (await state()).startsWith("TERMINATED"));
    },
  };
}

/** Waits until a cluster's only group of a role (`CORE`) has so many instances, and is RUNNING again. */
export async function resized(howdah: Howdah, id: string, role: string, count: number): Promise<void> {
  await until(`${role} to have ${count} instances`, async () => {
    const group = (await howdah.groups(id)).find((one) => one.InstanceGroupType === role)!;
    return group.Status?.State === "RUNNING" && group.RunningInstanceCount === count;
  });
}
