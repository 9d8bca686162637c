/** Role mappings of EMRFS on a real cluster: commands and jobs of different users reach what their roles may, and nothing else. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { nodeLayout } from "../../src/agent/layout.ts";
import { type Howdah, releaseLabel, startHowdah, until } from "./howdah.ts";

let howdah: Howdah;
let files: string;

before(async () => {
  howdah = await startHowdah();
  files = mkdtempSync(join(tmpdir(), "howdah-emrfs-test-"));
  await howdah.boto3(prepare);
});
after(async () => {
  await howdah?.stop();
  if (files) rmSync(files, { recursive: true, force: true });
});

/** A folder of the bucket for each role. */
const prepare = `
import boto3, json
iam, s3, emr = boto3.client("iam"), boto3.client("s3"), boto3.client("emr")
account = boto3.client("sts").get_caller_identity()["Account"]
def document(**statement): return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]})
def role(name, principal, *folders):
    trust = document(Principal=principal, Action="sts:AssumeRole")
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)
    may = [f"arn:aws:s3:::data/{folder}{below}" for folder in folders for below in ["", "/*"]]
    iam.put_role_policy(RoleName=name, PolicyName="objects", PolicyDocument=document(Action="s3:*", Resource=may))
    iam.put_role_policy(RoleName=name, PolicyName="list", PolicyDocument=document(Action="s3:ListBucket*", Resource="arn:aws:s3:::data"))
role("nodes", {"Service": "ec2.amazonaws.com"}, "open", "logs")
nodes = {"AWS": f"arn:aws:iam::{account}:role/nodes"}
role("alice", nodes, "alice")
role("analysts", nodes, "analysis")
role("finance", nodes, "finance")
role("untrusting", {"AWS": f"arn:aws:iam::{account}:role/alice"}, "open")
iam.create_instance_profile(InstanceProfileName="nodes")
iam.add_role_to_instance_profile(InstanceProfileName="nodes", RoleName="nodes")
def mapping(role, kind, *identifiers):
    return {"Role": f"arn:aws:iam::{account}:role/{role}", "IdentifierType": kind, "Identifiers": list(identifiers)}
mappings = [mapping("untrusting", "User", "dave"), mapping("finance", "Prefix", "s3://data/finance/"),
    mapping("alice", "User", "alice", "amy"), mapping("analysts", "Group", "analysts")]
emr.create_security_configuration(Name="mapped", SecurityConfiguration=json.dumps({"AuthorizationConfiguration": {"EmrFsConfiguration": {"RoleMappings": mappings}}}))
s3.create_bucket(Bucket="data")
for folder in ["open", "alice", "analysis", "finance"]:
    s3.put_object(Bucket="data", Key=f"{folder}/words", Body=b"one two two\\n")
`;

const users = `#!/bin/bash
set -e
sudo groupadd analysts
sudo useradd alice
sudo useradd bob -G analysts
sudo useradd carl
sudo useradd dave
`;

/** Everything in one step: most of a command's time is its JVM's. */
const script = `
cat > job.py <<'END'
import sys
from pyspark.sql import SparkSession
spark = SparkSession.builder.getOrCreate()
words = spark.sparkContext.textFile(sys.argv[1], 2).flatMap(str.split)
words.map(lambda word: (word, 1)).reduceByKey(lambda a, b: a + b, 1).saveAsTextFile(sys.argv[2])
END
hdfs dfs -mkdir -p /user/alice
hdfs dfs -chown alice:alice /user/alice
: > log
say() {
  local name=$1; shift
  echo "== $name: $*" >> log
  if "$@" > out 2>&1; then echo "$name: $(tail -n 1 out)"; else echo "$name: no, $(grep -m 1 -oE 'AccessDenied|Forbidden|EMRFS cannot take .*' out | head -n 1)"; fi
  cat out >> log
}
spark() { sudo -u alice spark-submit --conf spark.dynamicAllocation.enabled=false --num-executors 1 "$@"; }
count() { sudo -u alice hadoop-mapreduce-examples wordcount -Dmapreduce.job.reduces=1 "$@"; }
say alice-own sudo -u alice hadoop fs -cat s3://data/alice/words
say alice-finance sudo -u alice hadoop fs -cat s3://data/finance/words
say alice-open sudo -u alice hadoop fs -cat s3://data/open/words
say alice-list sudo -u alice hadoop fs -ls -C s3://data/finance
HADOOP_USER_NAME=bob say bob-put hadoop fs -put job.py s3://data/analysis/job.py
say bob-alice sudo -u bob hadoop fs -cat s3://data/alice/words
say carl-open sudo -u carl hadoop fs -cat s3://data/open/words
say carl-analysis sudo -u carl hadoop fs -cat s3://data/analysis/words
say dave sudo -u dave hadoop fs -cat s3://data/open/words
say cli aws s3 cp s3://data/finance/words -
say spark spark --deploy-mode cluster --conf spark.yarn.submit.waitAppCompletion=true job.py s3://data/finance/words s3://data/alice/spark
say spark-denied spark --conf spark.task.maxFailures=1 job.py s3://data/analysis/words s3://data/alice/none
say mapreduce count s3://data/alice/words s3://data/finance/mapreduce
say mapreduce-denied count s3://data/open/words s3://data/alice/nothing
cat log >&2
`;

const put = async (key: string, content: string) => {
  writeFileSync(join(files, "upload"), content);
  await howdah.aws("s3", "cp", join(files, "upload"), `s3://data/${key}`);
};
const text = async (key: string) =>
  howdah.boto3(`import boto3; print(boto3.client("s3").get_object(Bucket="data", Key="${key}")["Body"].read().decode(), end="")`);

test("users, groups and prefixes have the roles of the first mapping that fits, in commands and in containers", async () => {
  await put("open/users.sh", users);
  await put("open/script.sh", script);
  const Steps = [
    {
      Name: "all",
      Type: "CUSTOM_JAR",
      Jar: "s3://elasticmapreduce/libs/script-runner/script-runner.jar",
      Args: ["s3://data/open/script.sh"],
    },
  ];
  const { ClusterId } = await howdah.aws(
    "emr",
    "create-cluster",
    `--release-label=${releaseLabel}`,
    "--applications=Name=Spark",
    "--security-configuration=mapped",
    "--service-role=EMR_DefaultRole",
    "--ec2-attributes=InstanceProfile=nodes",
    "--instance-type=m5.xlarge",
    "--instance-count=1",
    "--bootstrap-actions=Path=s3://data/open/users.sh",
    `--steps=${JSON.stringify(Steps)}`,
  );
  const [{ Id: StepId }] = (await howdah.aws("emr", "list-steps", "--cluster-id", ClusterId)).Steps;
  const state = await until("the step", async () => {
    const { State } = (await howdah.step(ClusterId, StepId)).Status;
    return !["PENDING", "RUNNING"].includes(State) && State;
  });
  const { Instances } = await howdah.aws("emr", "list-instances", "--cluster-id", ClusterId);
  const { logs } = nodeLayout(howdah.data.node(Instances[0].Ec2InstanceId));
  const [stdout, stderr] = ["stdout", "stderr"].map((name) => readFileSync(join(logs, "steps", StepId, name), "utf8")) as [string, string];
  assert.equal(state, "COMPLETED", stderr);
  const lines = stdout.trim().split("\n");
  const said = new Map(lines.map((line) => [line.replace(/:.*/, ""), line.replace(/^[^:]*: */, "")]));
  for (const [name, outcome] of [
    ["alice-own", /^one two two$/],
    ["alice-finance", /^one two two$/],
    ["alice-open", /^no, Forbidden$/],
    ["alice-list", /^s3:\/\/data\/finance\/words$/],
    ["bob-put", /^$/],
    ["bob-alice", /^no, Forbidden$/],
    ["carl-open", /^one two two$/],
    ["carl-analysis", /^no, Forbidden$/],
    ["dave", /^no, EMRFS cannot take the role \S+:role\/untrusting, .* user dave: .*\/nodes is not allowed sts:AssumeRole/],
    ["cli", /^no, Forbidden$/],
    ["spark", /^(?!no,)/],
    ["spark-denied", /^no, AccessDenied$/],
    ["mapreduce", /^\s*Bytes Written=12$/],
    ["mapreduce-denied", /^no, AccessDenied$/],
  ] as const)
    assert.match(said.get(name) ?? "nothing", outcome, `${name}\n${stderr}`);
  assert.match(await text("alice/spark/part-00000"), /^\('two', 2\)$/m);
  assert.match(await text("finance/mapreduce/part-r-00000"), /^two\t2$/m);
  assert.equal(await text("analysis/job.py"), script.slice(script.indexOf("import sys"), script.indexOf("END\nhdfs")));
});
