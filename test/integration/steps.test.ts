/** Every kind of step on one cluster, typed as a user of the aws CLI types it, by what it leaves in S3 and HDFS. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { gunzipSync } from "node:zlib";
import { GetObjectCommand, ListObjectsV2Command, S3Client } from "@aws-sdk/client-s3";
import { builtInObjects } from "../../src/s3/emr-bucket.ts";
import { type Howdah, releaseLabel, startHowdah, until } from "./howdah.ts";

let howdah: Howdah;
let files: string;
let web: Server;
let s3: S3Client;
let clusterId = "";

const samples = "samples/wordcount";
const scriptRunner = "s3://us-west-2.elasticmapreduce/libs/script-runner/script-runner.jar";

before(async () => {
  howdah = await startHowdah();
  const { AWS_ENDPOINT_URL: endpoint, AWS_REGION: region, AWS_ACCESS_KEY_ID = "", AWS_SECRET_ACCESS_KEY = "" } = howdah.clientEnv;
  const credentials = { accessKeyId: AWS_ACCESS_KEY_ID, secretAccessKey: AWS_SECRET_ACCESS_KEY };
  s3 = new S3Client({ endpoint, region, forcePathStyle: true, credentials });
  files = mkdtempSync(join(tmpdir(), "howdah-steps-test-"));
});
after(async () => {
  web?.close();
  s3?.destroy();
  await howdah?.stop();
  rmSync(files, { recursive: true, force: true });
});

const write = (name: string, content: string) => {
  const file = join(files, "work", name);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content);
};
const words = (line: string) => line.split(" ");
const bash = (script: string) => `#!/bin/bash\nset -e\n${script}\n`;
const logLines = (name: string, count: number) => Array.from({ length: count }, (_, i) => `${name} ${i} ${"x".repeat(80)}\n`).join("");

/** A jar with one class, compiled by the JDK of the nodes. */
function makeJar(name: string, className: string, source: string, classPath: string[]): void {
  const folder = join(files, "java", name);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${className}.java`), source);
  const bin = (tool: string) => join(howdah.installation.javaHome, "bin", tool);
  execFileSync(bin("javac"), ["--release", "17", "-cp", classPath.join(":"), "-d", join(folder, "out"), join(folder, `${className}.java`)]);
  execFileSync(bin("jar"), ["--create", "--file", join(files, "work", name), "-C", join(folder, "out"), "."]);
}

const job = `import sys
import helper
from pyspark.sql import SparkSession

spark = SparkSession.builder.getOrCreate()
jvm = spark.sparkContext._jvm
said = jvm.demo.Show.greeting()
quick = "-XX:TieredStopAtLevel=1" in jvm.java.lang.management.ManagementFactory.getRuntimeMXBean().getInputArguments()

def local(_):
    return [open("data.txt").read().strip(), open("env/inside.txt").read().strip(), helper.word()]

found = spark.sparkContext.parallelize([0], 1).flatMap(local).collect() + [said, "a quick JVM" if quick else "a full JVM"]
spark.createDataFrame([(",".join(found),)], ["value"]).coalesce(1).write.mode("overwrite").text(sys.argv[1])
`;

/** What the steps need, in files/work. */
function writeFiles(): void {
  write("words.txt", "one two two three three three\n");
  write("only-master.sh", bash('aws s3 cp - "s3://work/run-if/$1-$(hostname)" <<< "$(whoami)"'));
  write("script.sh", bash('echo "args: $1|$2"; pwd'));
  write("job.py", job);
  write("helper.py", 'def word():\n    return "helped"\n');
  write("data.txt", "from a file\n");
  write(
    "query.sql",
    "CREATE TABLE herd (name STRING) USING parquet;\nINSERT INTO herd VALUES ('Hannibal'), ('Jumbo');\nSELECT count(*) FROM herd;\n",
  );
  for (const [name, count] of Object.entries({ "app-1/a": 9000, "app-1/b": 9000, "app-1/c": 10, "app-2/a": 5 }))
    write(`logs/${name}.log`, logLines(name, count));
  write("logs/app-2/notes.txt", "not a log\n");
  const archive = join(files, "archive");
  mkdirSync(archive);
  writeFileSync(join(archive, "inside.txt"), "from an archive\n");
  const { hadoop, javaHome, spark } = howdah.installation;
  execFileSync(join(javaHome, "bin", "jar"), ["--create", "--no-manifest", "--file", join(files, "work", "env.zip"), "-C", archive, "."]);
  const show = `package demo;
    public class Show {
      public static String greeting() { return "from a jar"; }
      public static void main(String[] args) {
        System.out.println("greeting=" + System.getProperty("greeting") + " args=" + String.join("|", args) + " cwd=" + System.getProperty("user.dir"));
      }
    }`;
  makeJar("show.jar", "Show", show, hadoop.classPath);
  const count = `package demo;
    import org.apache.spark.sql.SparkSession;
    public class Count {
      public static void main(String[] args) {
        SparkSession spark = SparkSession.builder().getOrCreate();
        spark.read().textFile(args[0]).groupBy().count().coalesce(1).write().csv(args[1]);
      }
    }`;
  makeJar("count.jar", "Count", count, spark.classPath);
}

const step = (Name: string, Jar: string, Args: string[], more: object = {}) => ({
  Name,
  Type: "CUSTOM_JAR",
  Jar,
  ActionOnFailure: "CONTINUE",
  Args,
  ...more,
});
const command = (name: string, ...args: string[]) => step(name, "command-runner.jar", args);

async function addSteps(...steps: object[]): Promise<string[]> {
  return (await howdah.aws("emr", "add-steps", "--cluster-id", clusterId, "--steps", JSON.stringify(steps))).StepIds;
}

/** On the node: what the step wrote, for a failure's message. */
function tail(id: string, log: string): string {
  const [file] = globSync(join(howdah.data.nodes, "*", "logs", "steps", id, log));
  return file ? readFileSync(file, "utf8").slice(-6000) : "";
}

async function endOf(id: string, wanted: string): Promise<any> {
  const Step = await until(
    `the end of ${id}`,
    async () => {
      const found = await howdah.step(clusterId, id);
      return !["PENDING", "RUNNING"].includes(found.Status.State) && found;
    },
    900_000,
  );
  const { State } = Step.Status;
  if (State !== wanted)
    assert.fail(`${Step.Name} is ${State}\n${JSON.stringify(Step.Status)}\n${tail(id, "stdout")}\n${tail(id, "stderr")}`);
  return Step;
}

const keysOf = async (prefix: string): Promise<string[]> =>
  ((await s3.send(new ListObjectsV2Command({ Bucket: "work", Prefix: prefix }))).Contents ?? []).map(({ Key }) => Key ?? "");

async function get(key: string): Promise<Buffer> {
  const { Body } = await s3.send(new GetObjectCommand({ Bucket: "work", Key: key }));
  return Buffer.from(await Body!.transformToByteArray());
}

/** Content of all parts below a prefix. */
async function parts(prefix: string): Promise<string> {
  const keys = (await keysOf(prefix)).filter((key) => /\/part-/.test(key));
  const all = [];
  for (const key of keys) all.push((await get(key)).toString("utf8"));
  return all.join("");
}

const logOf = (id: string, name: string) => howdah.log("work", `emr/${clusterId}/steps/${id}/${name}.gz`);

/** As the tutorial's reducer writes them. */
function wordCounts(): string {
  const counts = new Map<string, number>();
  for (const [key, { content }] of builtInObjects())
    if (key.startsWith(`${samples}/input/`))
      for (const [word] of content.toString("utf8").matchAll(/[a-zA-Z][a-zA-Z0-9]*/g))
        counts.set(word.toLowerCase(), (counts.get(word.toLowerCase()) ?? 0) + 1);
  return [...counts]
    .map(([word, count]) => `${word}\t${count}\n`)
    .toSorted()
    .join("");
}
const sorted = (text: string) =>
  text
    .split("\n")
    .filter(Boolean)
    .map((line) => `${line}\n`)
    .toSorted()
    .join("");

test("a cluster with run-if and --enable-debugging, as typed", async () => {
  mkdirSync(join(files, "work"));
  writeFiles();
  // A redirect too: where such a jar is kept is seldom where it is named.
  web = createServer((request, response) => {
    if (request.url === "/latest?of=show") response.writeHead(302, { location: "/files/show.jar" }).end();
    else if (request.url === "/files/show.jar") response.end(readFileSync(join(files, "work", "show.jar")));
    else response.writeHead(404).end("no such elephant");
  }).listen(0, "127.0.0.1");
  await howdah.aws("s3", "mb", "s3://work");
  await howdah.aws("s3", "cp", "--quiet", "--recursive", join(files, "work"), "s3://work/");
  const created = await howdah.aws(
    ...words("emr create-cluster --name steps --applications Name=Spark --instance-type m5.xlarge --instance-count 2"),
    ...words(`--release-label ${releaseLabel} --use-default-roles --log-uri s3n://work/emr/ --enable-debugging`),
    "--configurations",
    JSON.stringify([
      { Classification: "spark-defaults", Properties: { "spark.executor.memory": "1g", "spark.executor.cores": "2" } },
      // A small job's tasks run in its application master: all but one job here, for each JVM takes seconds of a core.
      { Classification: "mapred-site", Properties: { "mapreduce.job.ubertask.enable": "true", "mapreduce.job.ubertask.maxmaps": "20" } },
    ]),
    "--bootstrap-actions",
    "Path=s3://elasticmapreduce/bootstrap-actions/run-if,Args=[instance.isMaster=true,s3://work/only-master.sh,here]",
  );
  clusterId = created.ClusterId;
  const { Steps } = await howdah.aws("emr", "list-steps", "--cluster-id", clusterId);
  await endOf(Steps[0].Id, "COMPLETED");
  assert.match(await logOf(Steps[0].Id, "stdout"), /no debugging console/);
  // With more than one at a time, EMR would refuse the step of --enable-debugging.
  await howdah.aws("emr", "modify-cluster", "--cluster-id", clusterId, "--step-concurrency-level", "3");
  const { Instances } = await howdah.aws("emr", "list-instances", "--cluster-id", clusterId, "--instance-group-types", "MASTER");
  assert.deepEqual(await keysOf("run-if/"), [`run-if/here-${Instances[0].PrivateDnsName.split(".")[0]}`]);
});

test("EMR's own bucket is read by Hadoop and the aws CLI, and files are put into HDFS", async () => {
  const [id] = await addSteps(
    command(
      "prepare",
      "bash",
      "-c",
      `hadoop fs -ls s3://us-east-1.elasticmapreduce/${samples}/input && hadoop fs -cp s3://work/logs hdfs:///logs && ` +
        `hadoop fs -mkdir /jars && hadoop fs -cp s3a://work/show.jar "/jars/the show.jar" && aws s3 ls s3://elasticmapreduce/${samples}/`,
    ),
  );
  await endOf(id!, "COMPLETED");
  const said = await logOf(id!, "stdout");
  assert.match(said, new RegExp(`Found 3 items\\n.* s3://us-east-1\\.elasticmapreduce/${samples}/input/0001\\n`));
  assert.match(said, /PRE input\/\n.* wordSplitter\.py\n/);
  await howdah.aws("s3", "cp", `s3://elasticmapreduce/${samples}/wordSplitter.py`, "s3://work/mine.py");
  assert.deepEqual(await get("mine.py"), builtInObjects().get(`${samples}/wordSplitter.py`)!.content);
  await assert.rejects(howdah.aws("s3", "cp", join(files, "work", "data.txt"), "s3://elasticmapreduce/data.txt"), /AccessDenied/);
});

const spark = (name: string, mode: string, ...rest: string[]) => command(name, "spark-submit", "--deploy-mode", mode, ...rest);
const withFiles = words(
  "--py-files s3://work/helper.py --jars s3://work/show.jar --files s3n://work/data.txt --archives s3a://work/env.zip#env s3://work/job.py",
);

/** By name: the step and what must be so after it. */
const kinds: Record<string, { step: () => object; fails?: RegExp; check?: (id: string) => Promise<void> }> = {
  "s3-dist-cp twice": {
    step: () =>
      command(
        "s3-dist-cp twice",
        "bash",
        "-c",
        "for i in 1 2; do s3-dist-cp --src hdfs:///logs --dest=s3://work/plain --s3Endpoint=s3.amazonaws.com || exit; done",
      ),
    async check(id) {
      const below = (await keysOf("plain/")).filter((key) => !key.endsWith("/"));
      assert.deepEqual(
        below,
        ["app-1/a.log", "app-1/b.log", "app-1/c.log", "app-2/a.log", "app-2/notes.txt"].map((name) => `plain/${name}`),
      );
      assert.deepEqual(await get("plain/app-1/b.log"), readFileSync(join(files, "work/logs/app-1/b.log")));
      assert.match(await logOf(id, "stderr"), /--s3Endpoint has no effect/);
    },
  },
  "s3-dist-cp groups": {
    step: () =>
      command(
        "s3-dist-cp groups",
        "s3-dist-cp",
        "--src=hdfs:///logs/",
        "--dest=s3://work/grouped",
        String.raw`--groupBy=.*/(app-\d)/.*(\.log)`,
        "--targetSize=1",
        "--outputCodec=gz",
      ),
    async check() {
      const text = async (name: string) => gunzipSync(await get(`grouped/${name}`)).toString("utf8");
      assert.deepEqual(
        await keysOf("grouped/"),
        ["app-1.log0.gz", "app-1.log1.gz", "app-2.log.gz"].map((name) => `grouped/${name}`),
      );
      assert.equal(await text("app-1.log0.gz"), logLines("app-1/a", 9000));
      assert.equal(await text("app-1.log1.gz"), logLines("app-1/b", 9000) + logLines("app-1/c", 10));
      assert.equal(await text("app-2.log.gz"), logLines("app-2/a", 5));
    },
  },
  "s3-dist-cp as a jar, to snappy": {
    step: () =>
      step("s3-dist-cp as a jar, to snappy", "/usr/share/aws/emr/s3-dist-cp/lib/s3-dist-cp.jar", [
        ...words(String.raw`--src s3n://work/logs/app-2 --dest hdfs:///copied --srcPattern .*\.log --deleteOnSuccess --outputCodec=snappy`),
      ]),
    check: async () => assert.deepEqual(await keysOf("logs/app-2/"), ["logs/app-2/notes.txt"]),
  },
  "s3-dist-cp refused": {
    step: () => command("s3-dist-cp refused", "s3-dist-cp", "--src", "/logs", "--dest", "/x", "--appendToLastFile"),
    fails: /--appendToLastFile is not in Howdah's s3-dist-cp/,
  },
  "spark-sql -f": {
    step: () => command("spark-sql -f", "spark-sql", "-f", "s3://work/query.sql"),
    async check(id) {
      assert.equal((await logOf(id, "stdout")).trim(), "2");
      // What a metastore that has just been made says of itself.
      assert.doesNotMatch(await logOf(id, "stderr"), /(WARN|ERROR) (Hive|ObjectStore|SessionState|MetaStore|Persistence|Datastore|Schema)/);
    },
  },
  "spark-sql -e": {
    step: () => command("spark-sql -e", "spark-sql", "--master", "local[1]", "-e", "SELECT 6 * 7 AS answer"),
    check: async (id) => assert.match(await logOf(id, "stdout"), /^42$/m),
  },
  "AWS's first Spark step, of type Spark": {
    step: () => ({
      Type: "Spark",
      Name: "Spark Program",
      ActionOnFailure: "CONTINUE",
      Args: words("--master local[2] --class org.apache.spark.examples.SparkPi /usr/lib/spark/examples/jars/spark-examples.jar 10"),
    }),
    check: async (id) => assert.match(await logOf(id, "stdout"), /Pi is roughly 3\.\d/),
  },
  "no such example": {
    step: () => command("no such example", "spark-example", "SparkNothing"),
    fails: /there is no Python example 'SparkNothing'/,
    check: async (id) => assert.match(await logOf(id, "stderr"), /NAME is one of: .*\bml\/kmeans_example\b.*\bpi\b/),
  },
  "no Hive": {
    step: () => ({ Type: "HIVE", Name: "no Hive", ActionOnFailure: "CONTINUE", Args: ["-f", "s3://work/query.sql"] }),
    fails: /^Hive is not on this cluster: hive-script is there where the cluster's Applications name Hive$/,
  },
  "jar of S3": {
    step: () => step("jar of S3", "s3n://work/show.jar", ["a b", "$c"], { MainClass: "demo.Show", Properties: "greeting=hello" }),
    async check(id) {
      const folder = globSync(join(howdah.data.nodes, "*", "upper")).length > 0 ? `/mnt/var/lib/hadoop/steps/${id}` : "/.*/work";
      assert.match(await logOf(id, "stdout"), new RegExp(`^greeting=hello args=a b\\|\\$c cwd=${folder}$`, "m"));
    },
  },
  "jar of HDFS": {
    step: () => step("jar of HDFS", "hdfs:///jars/the show.jar", ["x"], { MainClass: "demo.Show" }),
    check: async (id) => assert.match(await logOf(id, "stdout"), /args=x /),
  },
  "jar of the web": {
    step: () =>
      step("jar of the web", `http://127.0.0.1:${(web.address() as AddressInfo).port}/latest?of=show`, ["y"], { MainClass: "demo.Show" }),
    check: async (id) => assert.match(await logOf(id, "stdout"), /args=y /),
  },
  "no jar of the web": {
    step: () => step("no jar of the web", `http://127.0.0.1:${(web.address() as AddressInfo).port}/none.jar`, []),
    fails: /none\.jar could not be fetched: 127\.0\.0\.1:\d+ answered 404 no such elephant/,
  },
  "jar of the node": {
    step: () =>
      step("jar of the node", `file://${howdah.installation.hadoop.home}/hadoop-mapreduce-examples.jar`, [
        "wordcount",
        "-Dmapreduce.job.ubertask.enable=false",
        "s3n://work/words.txt",
        "s3a://work/words",
      ]),
    check: async () => assert.equal(await parts("words/"), "one\t1\nthree\t3\ntwo\t2\n"),
  },
  script: {
    step: () => step("script", scriptRunner, ["s3n://work/script.sh", "x y", "z"]),
    check: async (id) => assert.match(await logOf(id, "stdout"), /^args: x y\|z\n/),
  },
  "debugging of old": {
    step: () => step("debugging of old", scriptRunner, ["s3://us-west-2.elasticmapreduce/libs/state-pusher/0.1/fetch"]),
  },
  tutorial: {
    step: () => ({
      Type: "STREAMING",
      Name: "tutorial",
      ActionOnFailure: "CONTINUE",
      Args: [
        ...words(`-files s3://elasticmapreduce/${samples}/wordSplitter.py -mapper wordSplitter.py -reducer aggregate`),
        ...words(`-input s3://elasticmapreduce/${samples}/input -output s3://work/counts`),
      ],
    }),
    check: async () => assert.equal(sorted(await parts("counts/")), wordCounts()),
  },
  "tutorial of old": {
    step: () =>
      step("tutorial of old", "/home/hadoop/contrib/streaming/hadoop-streaming.jar", [
        ...words(`-input s3n://us-east-1.elasticmapreduce/${samples}/input -output s3a://work/old-counts`),
        ...words(`-mapper s3://us-east-1.elasticmapreduce/${samples}/wordSplitter.py -reducer aggregate`),
      ]),
    check: async () => assert.equal(sorted(await parts("old-counts/")), wordCounts()),
  },
  "spark client": {
    step: () => spark("spark client", "client", ...withFiles, "s3://work/client-out"),
    check: async () => assert.equal(await parts("client-out/"), "from a file,from an archive,helped,from a jar,a quick JVM\n"),
  },
  "spark cluster": {
    step: () => ({
      ...spark("spark cluster", "cluster"),
      Type: "SPARK",
      Jar: undefined,
      Args: ["--deploy-mode", "cluster", ...withFiles, "s3://work/cluster-out"],
    }),
    check: async () => assert.equal(await parts("cluster-out/"), "from a file,from an archive,helped,from a jar,a quick JVM\n"),
  },
  "spark jar": {
    step: () => spark("spark jar", "cluster", "--class", "demo.Count", "s3://work/count.jar", "s3://work/query.sql", "s3://work/lines"),
    check: async () => assert.equal(await parts("lines/"), "3\n"),
  },
};

const ids = new Map<string, string>();

test("steps of every kind are added at once", async () => {
  const added = await addSteps(...Object.values(kinds).map(({ step }) => step()));
  for (const [index, name] of Object.keys(kinds).entries()) ids.set(name, added[index]!);
});

for (const [name, { fails, check }] of Object.entries(kinds))
  test(`a step: ${name}`, async () => {
    const id = ids.get(name)!;
    const { Status } = await endOf(id, fails ? "FAILED" : "COMPLETED");
    if (fails) assert.match(Status.FailureDetails.Message, fails);
    await check?.(id);
  });

test("what steps left in HDFS is there, and one warning tells of the debugging console", async () => {
  const [id] = await addSteps(
    command("look", "bash", "-c", "hadoop fs -text /copied/a.log.snappy; hadoop fs -ls /copied /user/spark/warehouse/herd | grep -c '^-'"),
  );
  await endOf(id!, "COMPLETED");
  assert.match(await logOf(id!, "stdout"), new RegExp(`^${logLines("app-2/a", 5)}\\d+\n$`));
  const status = execFileSync(
    process.execPath,
    [join(import.meta.dirname, "../../bin/howdah.js"), "status", clusterId, "--data", howdah.data.root],
    { encoding: "utf8" },
  );
  assert.equal(status.match(/no debugging console/g)?.length, 1, status);
});
