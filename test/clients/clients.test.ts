/** The suites of all clients, against one real Howdah. Each has a file of its own beside this one. */
import assert from "node:assert/strict";
import { totalmem } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { releaseLabel, until } from "../integration/howdah.ts";
import { runDag } from "./airflow.ts";
import { awsCliSuite, type Cli, cliOf, describeCluster } from "./aws-cli.ts";
import { findAwsCli2 } from "./aws-cli-2.ts";
import { jsSdkSuite } from "./js-sdk.ts";
import { clientsVenv } from "./venv.ts";
import { bucket, file, python, startWorld, tooMany, type World } from "./world.ts";

/** What the clients read. */
const uploads = {
  "words.txt": "elephant tiger elephant\nant elephant ant\n",
  "hello.sh": '#!/bin/bash\necho "hello $1 and $2"\n',
  // Of EMR's tutorial "Get started": its arguments, its columns, its question.
  "health_violations.py": `import argparse
from pyspark.sql import SparkSession
parser = argparse.ArgumentParser()
parser.add_argument("--data_source")
parser.add_argument("--output_uri")
args = parser.parse_args()
with SparkSession.builder.appName("Calculate Red Health Violations").getOrCreate() as spark:
    spark.read.option("header", "true").csv(args.data_source).createOrReplaceTempView("restaurant_violations")
    top = spark.sql("""SELECT name, count(*) AS total_red_violations FROM restaurant_violations
        WHERE violation_type = 'RED' GROUP BY name ORDER BY total_red_violations DESC LIMIT 10""")
    top.write.option("header", "true").mode("overwrite").csv(args.output_uri)
`,
  "food_establishment_data.csv": `name,inspection_result,inspection_closed_business,violation_type,violation_points
TUSK & CO,Unsatisfactory,FALSE,BLUE,5
TUSK & CO,Unsatisfactory,FALSE,RED,10
"HANNIBAL'S, ALPS",Unsatisfactory,TRUE,RED,25
"HANNIBAL'S, ALPS",Unsatisfactory,FALSE,RED,5
JUMBO #7,Complete,FALSE,,0
`,
};

const v2 = await findAwsCli2();
const venv = await clientsVenv();
const skip = (found: object | { missing: string }) => ("missing" in found ? { skip: String(found.missing) } : {});

let world: World;
let v1: Cli;
const theWorld = () => world;

/** Half of the tests describe clusters that must not fit (see tooMany). */
const tooLarge =
  totalmem() > 80 * 2 ** 30 && `a host with ${Math.round(totalmem() / 2 ** 30)} GiB would start clusters of ${tooMany} nodes`;

describe("clients", { skip: tooLarge }, () => {
  before(async () => {
    world = await startWorld();
    v1 = cliOf([join(world.howdah.installation.toolsBin, "aws")], world);
    await v1(`s3 mb s3://${bucket}`);
    for (const [name, content] of Object.entries(uploads)) await v1(`s3 cp ${file(world, name, content)} s3://${bucket}/${name}`);
  });
  after(() => world?.stop());

  describe("aws CLI v1", () => {
    test("makes the cluster that all clients share", async () => {
      const created = await v1(
        `emr create-cluster --name shared --release-label ${releaseLabel} --instance-type m5.xlarge --instance-count 1 --use-default-roles` +
          ` --applications Name=Hadoop Name=Spark --no-auto-terminate --log-uri s3://${bucket}/logs/ --tags team=elephants` +
          ` --step-concurrency-level 4 --bootstrap-actions Path=s3://${bucket}/hello.sh,Args=[one,two]` +
          ` --steps Type=SPARK,Name=first,ActionOnFailure=CONTINUE,Args=[s3://${bucket}/health_violations.py,--data_source,s3://${bucket}/food_establishment_data.csv,--output_uri,s3://${bucket}/myOutputFolder]`,
      );
      world.clusterId = created.ClusterId;
      assert.match(world.clusterId, /^j-[A-Z0-9]{13}$/);
    });
    awsCliSuite("v1", theWorld, () => v1);
    test("the SPARK step that create-cluster was given, EMR's first tutorial, has run", async () => {
      const { Steps } = await v1("emr list-steps --cluster-id", world.clusterId);
      const { Name, Id } = Steps.at(-1);
      assert.equal(Name, "first");
      const { Status } = await until("its end", async () => {
        const step = await world.howdah.step(world.clusterId, Id);
        return !["PENDING", "RUNNING"].includes(step.Status.State) && step;
      });
      assert.equal(Status.State, "COMPLETED", JSON.stringify(Status));
      const [, part] = / (part-\S+\.csv)\n/.exec(await v1(`s3 ls s3://${bucket}/myOutputFolder/`)) ?? [];
      const rows = `name,total_red_violations\n"HANNIBAL'S, ALPS",2\nTUSK & CO,1\n`;
      assert.equal(await v1(`s3 cp s3://${bucket}/myOutputFolder/${part} -`), rows);
    });
    test("modify-cluster-attributes --no-auto-terminate, which older versions 2 do not have", async () => {
      await v1("emr modify-cluster-attributes --no-auto-terminate --cluster-id", world.clusterId);
      assert.equal((await describeCluster(v1, world.clusterId)).AutoTerminate, false);
    });
  });

  describe("aws CLI v2", skip(v2), () => {
    let aws: Cli;
    let transient = "";
    before(async () => {
      if (!("missing" in v2)) aws = cliOf(v2.argv(world.env.AWS_ENDPOINT_URL ?? ""), world);
      const created = await aws(
        `emr create-cluster --name transient --release-label ${releaseLabel} --use-default-roles --auto-terminate` +
          ` --applications Name=Hadoop --instance-groups InstanceGroupType=MASTER,InstanceType=m5.xlarge,InstanceCount=1` +
          ` --steps Type=STREAMING,Args=[-mapper,cat,-reducer,cat,-input,s3://${bucket}/words.txt,-output,s3://${bucket}/transient/]`,
      );
      transient = created.ClusterId;
    });
    awsCliSuite("v2", theWorld, () => aws);
    test("a cluster with --auto-terminate ends after its steps; wait cluster-terminated sees it", async () => {
      await aws("emr wait cluster-terminated --cluster-id", transient);
      const { Status } = await describeCluster(aws, transient);
      assert.deepEqual([Status.State, Status.StateChangeReason.Code], ["TERMINATED", "ALL_STEPS_COMPLETED"]);
      assert.match(await aws(`s3 ls s3://${bucket}/transient/`), /part-00000/);
    });
  });

  test("boto3", async () => {
    await python(world, world.howdah.installation.python, "boto3_suite.py");
  });

  describe("JavaScript SDK", () => jsSdkSuite(theWorld));

  test("Airflow", skip(venv), async () => {
    if ("missing" in venv) return;
    const states = await runDag(world, venv.home);
    const tasks = ["create", "ready", "modify", "add", "ended", "look", "deferred", "terminate", "gone"];
    assert.deepEqual(states, Object.fromEntries(tasks.map((task) => [task, "success"])));
  });

  test("awswrangler", skip(venv), async () => {
    if ("missing" in venv) return;
    await python(world, join(venv.home, "bin", "python3"), "awswrangler_suite.py");
    assert.equal((await describeCluster(v1, world.clusterId)).Status.StateChangeReason.Code, "USER_REQUEST");
  });
});
