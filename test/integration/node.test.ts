/** What scripts, tutorials and bootstrap actions do on an EMR node: scripts full of it, run on a cluster of two nodes (node-scripts/). */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { bestDegree } from "../../src/providers/local/provider.ts";
import { type Howdah, releaseLabel, startHowdah, until } from "./howdah.ts";

const best = await bestDegree();
const scripts = join(import.meta.dirname, "node-scripts");

/** Of the machine, what a node must not change: packages, what is shared in the cache, and files that the scripts make. */
function host({ installation }: Howdah) {
  return {
    packages: existsSync("/usr/bin/dpkg-query") && spawnSync("dpkg-query", ["-W", "hello", "sl"], { encoding: "utf8" }).stdout,
    python: readdirSync(installation.pythonBase.packages).toSorted(),
    jars: readdirSync(join(installation.spark.home, "jars")).toSorted(),
    hadoop: readdirSync(dirname(installation.hadoop.classPath[0]!)).toSorted(),
    spark: readdirSync(installation.spark.home).toSorted(),
    made: ["/etc/howdah-node-test", "/usr/lib/spark", "/usr/lib/hadoop", "/emr", "/etc/hadoop/conf", "/usr/share/howdah"].filter((path) =>
      existsSync(path),
    ),
  };
}

describe("a node", { skip: best.degree === "plain" && best.reason }, () => {
  let howdah: Howdah;
  let clusterId = "";
  let untouched: ReturnType<typeof host>;

  before(async () => {
    howdah = await startHowdah({ isolation: "view" });
    untouched = host(howdah);
    await howdah.aws("s3", "mb", "s3://work");
    for (const name of readdirSync(scripts)) await howdah.aws("s3", "cp", join(scripts, name), `s3://work/scripts/${name}`);
    const configuration = { AuthorizationConfiguration: { IAMConfiguration: { EnableApplicationScopedIAMRole: true } } };
    const configure = ["--name", "roles", "--security-configuration", JSON.stringify(configuration)];
    await howdah.aws("emr", "create-security-configuration", ...configure);
    const created = await howdah.aws(
      "emr",
      "create-cluster",
      "--release-label",
      releaseLabel,
      "--applications",
      "Name=Spark",
      "--instance-type",
      "m5.xlarge",
      "--instance-count",
      "2",
      "--use-default-roles",
      "--security-configuration",
      "roles",
      "--log-uri",
      "s3://work/logs/",
      "--bootstrap-actions",
      "Path=s3://work/scripts/bootstrap.sh,Name=bootstrap",
    );
    clusterId = created.ClusterId;
  });
  after(() => howdah?.stop());

  test("a bootstrap action installs packages on every node, and the cluster comes up", async () => {
    const { Status } = await until("the cluster", async () => {
      const cluster = await howdah.cluster(clusterId);
      return !["STARTING", "BOOTSTRAPPING"].includes(cluster.Status.State) && cluster;
    });
    const failed = readdirSync(howdah.data.nodes).map((id) => {
      const path = join(howdah.data.node(id), "logs", "bootstrap-actions", "1", "stderr");
      return existsSync(path) ? readFileSync(path, "utf8") : "";
    });
    assert.equal(Status.State, "WAITING", `${JSON.stringify(Status)}\n${failed.join("\n")}`);
  });

  /** A role that may read S3, and that the cluster's role may assume. Its ARN. */
  async function readerRole(name: string): Promise<string> {
    const [{ Arn: node }, PolicyArn] = [
      (await howdah.aws("iam", "get-role", "--role-name", "EMR_EC2_DefaultRole")).Role,
      "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess",
    ];
    const trust = { Version: "2012-10-17", Statement: [{ Effect: "Allow", Principal: { AWS: node }, Action: "sts:AssumeRole" }] };
    const role = ["--role-name", name];
    const { Role } = await howdah.aws("iam", "create-role", ...role, "--assume-role-policy-document", JSON.stringify(trust));
    await howdah.aws("iam", "attach-role-policy", ...role, "--policy-arn", PolicyArn);
    return Role.Arn;
  }

  for (const name of ["paths", "users", "packages", "jobs", "role", "services"]) {
    test(`${name}.sh: every check of it holds`, async () => {
      const step = {
        Name: name,
        Type: "CUSTOM_JAR",
        Jar: "s3://us-east-1.elasticmapreduce/libs/script-runner/script-runner.jar",
        ActionOnFailure: "CONTINUE",
        Args: [`s3://work/scripts/${name}.sh`, "reader"],
      };
      const role = name === "role" ? ["--execution-role-arn", await readerRole("reader")] : [];
      const { StepIds } = await howdah.aws("emr", "add-steps", "--cluster-id", clusterId, "--steps", JSON.stringify([step]), ...role);
      const { Status } = await until(
        `the end of ${name}.sh`,
        async () => {
          const step = await howdah.step(clusterId, StepIds[0]);
          return !["PENDING", "RUNNING"].includes(step.Status.State) && step;
        },
        600_000,
      );
      const said = await howdah.log("work", `logs/${clusterId}/steps/${StepIds[0]}/stdout.gz`);
      assert.deepEqual(said.match(/^FAILED: [\s\S]*?(?=^ok: |^FAILED: |$(?![\s\S]))/gm) ?? [], []);
      assert.match(said, /^ok: /m);
      assert.equal(Status.State, "COMPLETED", JSON.stringify(Status));
    });
  }

  test("the machine is as it was", () => {
    assert.deepEqual(host(howdah), untouched);
  });
});
