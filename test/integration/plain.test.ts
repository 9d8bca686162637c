/** Nodes without namespaces, as on hosts that forbid them: only folders and the preload library. The engines do not notice. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { existsSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { eventMessages, type Howdah, releaseLabel, startHowdah, until } from "./howdah.ts";

let howdah: Howdah;
before(async () => {
  howdah = await startHowdah({ isolation: "plain", config: { releases: { substitute: true } } });
});
after(() => howdah?.stop());

test("a cluster of folders, of a label that is substituted, runs every kind of step and leaves nothing in /tmp", async () => {
  const tmpBefore = readdirSync("/tmp");
  await howdah.aws("s3", "mb", "s3://work");
  const bootstrap = join(howdah.data.root, "bootstrap.sh");
  writeFileSync(
    bootstrap,
    "#!/bin/bash -e\nls /mnt/var/lib/info || true\npip3 install tabulate\npip install --user toolz\npython3 -c 'import boto3, tabulate, toolz'\naws sts get-caller-identity\n",
  );
  const shared = readdirSync(howdah.installation.pythonBase.packages);
  const script = join(howdah.data.root, "script.sh");
  writeFileSync(script, '#!/bin/bash\necho "args: $1|$2"\n');
  await howdah.aws("s3", "cp", script, "s3://work/script.sh");
  const jar = (Name: string, Jar: string, ...Args: string[]) => ({ Name, Type: "CUSTOM_JAR", Jar, ActionOnFailure: "CONTINUE", Args });
  const step = (Name: string, ...Args: string[]) => jar(Name, "command-runner.jar", ...Args);
  const { ClusterId } = await howdah.aws(
    "emr",
    "create-cluster",
    "--release-label",
    "emr-6.15.0",
    "--applications",
    "Name=Spark",
    "--instance-type",
    "m5.xlarge",
    "--instance-count",
    "2",
    "--use-default-roles",
    "--auto-terminate",
    "--bootstrap-actions",
    `Path=${bootstrap},Name=bootstrap`,
    "--steps",
    JSON.stringify([
      step("put", "bash", "-c", "echo one two two | hadoop fs -put - /user/hadoop/words; ls /usr/lib/spark || true"),
      step(
        "count",
        "hadoop-streaming",
        "-mapper",
        "tr ' ' '\\n'",
        "-reducer",
        "uniq -c",
        "-input",
        "/user/hadoop/words",
        "-output",
        "s3://work/counts",
      ),
      step("copy", "s3-dist-cp", "--src=s3://work/counts/", "--dest=hdfs:///counts", "--srcPattern=.*part-.*"),
      jar("script", "s3://us-east-1.elasticmapreduce/libs/script-runner/script-runner.jar", "s3://work/script.sh", "one two", "three"),
      step("sql", "spark-sql", "--master", "local[1]", "-e", "SELECT count(*) FROM text.`hdfs:///counts`"),
      step("pi", "spark-submit", "--deploy-mode", "cluster", `${howdah.installation.spark.home}/examples/src/main/python/pi.py`, "2"),
    ]),
  );
  const { Status } = await until("the cluster's end", async () => {
    const cluster = await howdah.cluster(ClusterId);
    return cluster.Status.State.startsWith("TERMINATED") && cluster;
  });
  const { Steps } = await howdah.aws("emr", "list-steps", "--cluster-id", ClusterId);
  assert.deepEqual(
    Steps.map((one: any) => one.Status.State),
    Steps.map(() => "COMPLETED"),
    JSON.stringify(Steps, null, 1),
  );
  assert.deepEqual([Status.State, Status.StateChangeReason.Code], ["TERMINATED", "ALL_STEPS_COMPLETED"]);
  assert.match(await howdah.aws("s3", "cp", "s3://work/counts/part-00000", "-"), /1 one\s+2 two/);
  const stdout = (name: string) =>
    readdirSync(howdah.data.nodes)
      .map((node) => join(howdah.data.node(node), "logs", "steps", Steps.find((one: any) => one.Name === name).Id, "stdout"))
      .filter((file) => existsSync(file))
      .map((file) => readFileSync(file, "utf8"))
      .join("");
  assert.match(stdout("script"), /^args: one two\|three$/m);
  assert.match(stdout("sql"), /^2$/m);
  const { Cluster } = await howdah.aws("emr", "describe-cluster", "--cluster-id", ClusterId);
  assert.equal(Cluster.ReleaseLabel, releaseLabel);
  assert.ok(
    eventMessages(howdah, ClusterId).some((text) => /emr-6\.15\.0/.test(text) && text.includes(releaseLabel)),
    "a loud warning",
  );
  // What JVMs of other tests have there goes when they end.
  const left = () =>
    readdirSync("/tmp").filter((name) => !tmpBefore.includes(name) && /^(jetty|hadoop|spark|blockmgr|streamjob)/i.test(name));
  await until("nothing of the nodes to be left in /tmp", async () => left().length === 0).catch((error: Error) => {
    throw new Error(`${error.message}: ${left().join(", ")}`);
  });
  const logs = readdirSync(howdah.data.nodes).map((id) => join(howdah.data.node(id), "logs"));
  assert.equal(logs.length, 2);
  for (const folder of logs)
    assert.match(readFileSync(join(folder, "bootstrap-actions", "1", "stderr"), "utf8"), /^WARN bootstrap action 1 .* uses \/mnt\/var:/m);
  const controllers = logs.map((folder) => join(folder, "steps", Steps.at(-1).Id, "controller")).filter((file) => existsSync(file));
  assert.match(readFileSync(controllers[0]!, "utf8"), /WARN step s-\w+ uses \/usr\/lib\/spark:/);
  assert.deepEqual(readdirSync(howdah.installation.pythonBase.packages), shared, "pip has changed the Python that all nodes share");
});
