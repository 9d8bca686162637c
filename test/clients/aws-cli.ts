/** The aws CLI, of version 1 and of version 2: create-cluster in its many spellings, and what scripts do with clusters and with S3. */
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { before, describe, test } from "node:test";
import { releaseLabel, until } from "../integration/howdah.ts";
import { bucket, file, ran, tooMany, type World } from "./world.ts";

export interface Cli {
  /** `line` is split at spaces, `more` is given as it is. Parsed JSON, or the text where it is none. Throws with what the CLI says. */
  (line: string, ...more: string[]): Promise<any>;
  /** What the CLI says where it must fail. */
  fails(line: string, ...more: string[]): Promise<string>;
}

export function cliOf(argv: string[], world: World): Cli {
  const cli = async (line: string, ...more: string[]) => {
    const { status, out, err } = await ran([...argv, ...line.split(" "), ...more], world.env);
    assert.equal(status, 0, `aws ${line} ${more.join(" ")}: ${err}`);
    try {
      return JSON.parse(out);
    } catch {
      return out;
    }
  };
  const fails = async (line: string, ...more: string[]) => {
    const { status, out, err } = await ran([...argv, ...line.split(" "), ...more], world.env);
    assert.notEqual(status, 0, `aws ${line} ${more.join(" ")} passed: ${out}`);
    return err;
  };
  return Object.assign(cli, { fails });
}

export async function describeCluster(aws: Cli, clusterId: string) {
  return (await aws("emr describe-cluster --cluster-id", clusterId)).Cluster;
}

/** `prefix` keeps what the two versions write apart. */
export function awsCliSuite(prefix: string, world: () => World, cli: () => Cli): void {
  const aws: Cli = Object.assign((line: string, ...more: string[]) => cli()(line, ...more), {
    fails: (line: string, ...more: string[]) => cli().fails(line, ...more),
  });
  const stepIs = (stepId: string, ...states: string[]) =>
    until(`${states.join(" or ")} of ${stepId}`, async () => {
      const { Status } = await world().howdah.step(world().clusterId, stepId);
      return states.includes(Status.State) && Status.State;
    });
  const stepEnded = (stepId: string) => stepIs(stepId, "COMPLETED", "FAILED", "CANCELLED", "INTERRUPTED");
  const at = (path: string) => `s3://${bucket}/${prefix}/${path}`;

  test("sts get-caller-identity", async () => {
    assert.match((await aws("sts get-caller-identity")).Arn, /^arn:aws:iam::\d{12}:/);
  });

  test("ec2 describe-instances, describe-volumes, wait, create-tags", async () => {
    const { clusterId } = world();
    const ofCluster = `Name=tag:aws:elasticmapreduce:job-flow-id,Values=${clusterId}`;
    const query = "--query Reservations[].Instances[].InstanceId";
    const ids = await until("its instances", async () => {
      const found: string[] = await aws(
        `ec2 describe-instances --filters ${ofCluster} Name=instance-state-name,Values=pending,running ${query}`,
      );
      return found.length > 0 && found;
    });
    const { Instances } = await aws(`emr list-instances --cluster-id ${clusterId}`);
    assert.deepEqual(ids.toSorted(), Instances.map((one: any) => one.Ec2InstanceId).toSorted());
    await aws("ec2 wait instance-running --instance-ids", ...ids);
    await aws(`ec2 create-tags --tags Key=${prefix},Value=here --resources`, ...ids);
    const { Volumes } = await aws(`ec2 describe-volumes --filters Name=attachment.instance-id,Values=${ids[0]}`);
    assert.deepEqual(Volumes.map((one: any) => one.Attachments[0].Device).toSorted()[0], "/dev/sdb");
    const tagged = await aws(`ec2 describe-instances --filters Name=tag:${prefix},Values=here ${query}`);
    assert.deepEqual(tagged.toSorted(), ids.toSorted());
    assert.match(
      await aws.fails("ec2 run-instances --image-id ami-12345678 --instance-type m5.xlarge"),
      /UnsupportedOperation.*RunJobFlow/,
    );
    assert.match(await aws.fails("ec2 describe-vpcs --dry-run"), /DryRunOperation/);
  });

  test("s3 mb, sync, ls, cp, mv, presign, rm, rb", async () => {
    const folder = join(world().files, `${prefix}-sync`);
    mkdirSync(join(folder, "below"), { recursive: true });
    const made = [file(world(), `${prefix}-sync/one.txt`, "one\n"), file(world(), `${prefix}-sync/below/two.txt`, "two\n")];
    // S3 tells its times in whole seconds: a file that was uploaded in the second in which it was made is newer than its object.
    for (const path of made) utimesSync(path, new Date(), new Date(Date.now() - 60_000));
    const other = `s3://${bucket}-${prefix}`;
    await aws(`s3 mb ${other}`);
    await aws(`s3 sync ${folder} ${other}/tree`);
    assert.match(await aws(`s3 ls --recursive ${other}`), / 4 tree\/below\/two\.txt\n.* 4 tree\/one\.txt\n/);
    assert.equal(await aws(`s3 sync ${folder} ${other}/tree`), "", "nothing is copied twice");
    await aws(`s3 cp ${other}/tree/one.txt ${other}/copy.txt`);
    const moved = join(world().files, `${prefix}-moved`);
    await aws(`s3 mv ${other}/copy.txt ${moved}`);
    assert.equal(readFileSync(moved, "utf8"), "one\n");
    const url: string = await aws(`s3 presign ${other}/tree/below/two.txt`);
    assert.equal(await (await fetch(url.trim())).text(), "two\n");
    await aws(`s3 rm --recursive ${other}/tree/`);
    await aws(`s3 rb ${other}`);
  });

  describe("create-cluster", () => {
    let clusterId = "";
    let subnetId = "";
    const groupIds: string[] = [];
    before(async () => {
      subnetId = (await aws("ec2 describe-subnets --filters Name=default-for-az,Values=true")).Subnets[1].SubnetId;
      const key = await aws(`ec2 create-key-pair --key-type ed25519 --key-name ${prefix}-mine`);
      assert.match(key.KeyMaterial, /^-----BEGIN OPENSSH PRIVATE KEY-----\n/);
      for (const name of ["one", "two"]) {
        const { GroupId } = await aws(`ec2 create-security-group --description d --group-name ${prefix}-${name}`);
        await aws(`ec2 authorize-security-group-ingress --group-id ${GroupId} --protocol tcp --port 8088 --cidr 10.0.0.0/8`);
        groupIds.push(GroupId);
      }
      const configurations = '[{"Classification":"core-site","Properties":{"io.file.buffer.size":"77824"}}]';
      const created = await aws(
        `emr create-cluster --release-label ${releaseLabel} --log-uri ${at("logs")} --enable-debugging --auto-terminate` +
          ` --applications Name=Hadoop Name=spark --service-role EMR_DefaultRole --termination-protected` +
          ` --instance-groups InstanceGroupType=MASTER,InstanceCount=1,InstanceType=m5.xlarge,Name=first` +
          ` InstanceGroupType=CORE,InstanceCount=${tooMany - 3},InstanceType=r5.2xlarge` +
          ` InstanceGroupType=TASK,InstanceCount=2,InstanceType=c5.xlarge,BidPrice=0.25` +
          ` --configurations file://${file(world(), `${prefix}-conf.json`, configurations)}` +
          ` --tags team=elephants empty= --scale-down-behavior TERMINATE_AT_TASK_COMPLETION --ebs-root-volume-size 20` +
          ` --ec2-attributes KeyName=${prefix}-mine,InstanceProfile=EMR_EC2_DefaultRole,SubnetId=${subnetId},AdditionalMasterSecurityGroups=[${groupIds.join(",")}]` +
          ` --bootstrap-actions Path=${at("a.sh")},Name=named,Args=[instance.isMaster=true,two] Path=${at("b.sh")}` +
          ` --name`,
        "every spelling",
        "--steps",
        `Type=CUSTOM_JAR,Name=jar,Jar=${at("x.jar")},MainClass=org.example.Main,Properties=a=1,Args=[p,"q r"],ActionOnFailure=CONTINUE`,
        `Type=STREAMING,Name=streaming,Args=[-mapper,cat,-input,${at("in")},-output,${at("out")}],ActionOnFailure=CANCEL_AND_WAIT`,
        `Type=SPARK,Args=[--deploy-mode,cluster,${at("pi.py")},10],ActionOnFailure=TERMINATE_CLUSTER`,
        "Jar=command-runner.jar,Args=[spark-example,SparkPi,10]",
      );
      clusterId = created.ClusterId;
      assert.equal(created.ClusterArn.split("/").at(-1), clusterId);
      await until("its end", async () => (await world().howdah.cluster(clusterId)).Status.State === "TERMINATED_WITH_ERRORS");
    });

    test("each spelling is kept and shown", async () => {
      const cluster = await describeCluster(aws, clusterId);
      assert.equal(cluster.Status.StateChangeReason.Code, "INTERNAL_ERROR");
      assert.match(cluster.Status.StateChangeReason.Message, /MiB of memory free.* ask for fewer instances/);
      assert.deepEqual(
        [cluster.Name, cluster.ReleaseLabel, cluster.LogUri, cluster.AutoTerminate, cluster.TerminationProtected, cluster.ServiceRole],
        ["every spelling", releaseLabel, at("logs/"), true, true, "EMR_DefaultRole"],
      );
      assert.deepEqual(
        cluster.Applications.map(({ Name }: any) => Name),
        ["Hadoop", "Spark"],
      );
      assert.deepEqual(
        cluster.InstanceGroups.map((g: any) => [
          g.InstanceGroupType,
          g.Name,
          g.InstanceType,
          g.RequestedInstanceCount,
          g.Market,
          g.BidPrice,
        ]),
        [
          ["MASTER", "first", "m5.xlarge", 1, "ON_DEMAND", undefined],
          ["CORE", "CORE", "r5.2xlarge", tooMany - 3, "ON_DEMAND", undefined],
          ["TASK", "TASK", "c5.xlarge", 2, "SPOT", "0.25"],
        ],
      );
      assert.deepEqual(cluster.Configurations, [{ Classification: "core-site", Properties: { "io.file.buffer.size": "77824" } }]);
      assert.deepEqual(Object.fromEntries(cluster.Tags.map(({ Key, Value }: any) => [Key, Value])), { empty: "", team: "elephants" });
      const ec2 = cluster.Ec2InstanceAttributes;
      assert.deepEqual(
        [ec2.Ec2KeyName, ec2.IamInstanceProfile, ec2.Ec2SubnetId, ec2.AdditionalMasterSecurityGroups],
        [`${prefix}-mine`, "EMR_EC2_DefaultRole", subnetId, groupIds],
      );
      assert.deepEqual(
        cluster.BootstrapActions.map((action: any) => [action.Name, action.ScriptPath, action.Args]),
        [
          ["named", at("a.sh"), ["instance.isMaster=true", "two"]],
          ["Bootstrap action", at("b.sh"), []],
        ],
      );
    });

    test("steps of each type are what the CLI makes of them, newest first", async () => {
      const { Steps } = await aws("emr list-steps --cluster-id", clusterId);
      assert.deepEqual(
        Steps.map((step: any) => [step.Name, step.ActionOnFailure, step.Config.Jar, step.Config.Args.join(" "), step.Status.State]),
        [
          ["Custom JAR", "CONTINUE", "command-runner.jar", "spark-example SparkPi 10", "CANCELLED"],
          [
            "Spark application",
            "TERMINATE_CLUSTER",
            "command-runner.jar",
            `spark-submit --deploy-mode cluster ${at("pi.py")} 10`,
            "CANCELLED",
          ],
          [
            "streaming",
            "CANCEL_AND_WAIT",
            "command-runner.jar",
            `hadoop-streaming -mapper cat -input ${at("in")} -output ${at("out")}`,
            "CANCELLED",
          ],
          ["jar", "CONTINUE", at("x.jar"), "p q r", "CANCELLED"],
          ["Setup Hadoop Debugging", "TERMINATE_CLUSTER", "command-runner.jar", "state-pusher-script", "CANCELLED"],
        ],
      );
      assert.deepEqual([Steps[3].Config.MainClass, Steps[3].Config.Properties], ["org.example.Main", { a: "1" }]);
    });

    test("list-clusters by state and time, list-instances, and waits that fail", async () => {
      const listed = async (how: string) => (await aws(`emr list-clusters ${how}`)).Clusters.map(({ Id }: any) => Id);
      assert.ok((await listed("--failed --created-after 2020-01-01T00:00:00Z")).includes(clusterId));
      assert.ok(!(await listed("--active")).includes(clusterId));
      assert.deepEqual(await listed("--created-before 2020-01-01T00:00:00Z"), []);
      assert.deepEqual((await aws("emr list-instances --cluster-id", clusterId)).Instances, []);
      assert.match(await aws.fails("emr wait cluster-running --cluster-id", clusterId), /Waiter ClusterRunning failed: .*terminal failure/);
      assert.match(
        await aws.fails("emr wait cluster-terminated --cluster-id", clusterId),
        /Waiter ClusterTerminated failed: .*terminal failure/,
      );
    });

    test("what Howdah does not run is refused by name", async () => {
      const refused = (how: string) => aws.fails(`emr create-cluster --use-default-roles --release-label ${releaseLabel} ${how}`);
      const one = "--instance-type m5.xlarge --instance-count 1";
      assert.match(await refused(`${one} --applications Name=Pig`), /\(ValidationException\).*Applications: Pig is not in Howdah's/);
      assert.match(await refused(`${one} --steps Type=HIVE,Args=[-f,s3://a/b.q]`), /applications to be installed: Hive/);
      assert.match(await refused("--instance-type m5.colossal"), /\(ValidationException\).*m5\.colossal/);
      assert.match(
        await refused(`${one} --security-configuration sc`),
        /\(ValidationException\).*Security configuration with name 'sc' does not exist/,
      );
      assert.match(
        await refused("--instance-fleets InstanceFleetType=CORE,TargetOnDemandCapacity=1,InstanceTypeConfigs=[{InstanceType=m5.xlarge}]"),
        /\(ValidationException\).*Instances\.InstanceFleets: Zero master instance fleets supplied/,
      );
      const said = await aws.fails(`emr create-cluster --use-default-roles --release-label emr-1.2.3 ${one}`);
      assert.match(said, new RegExp(`release label is invalid: emr-1\\.2\\.3\\..*${releaseLabel}`));
      assert.match(
        await aws.fails("emr describe-cluster --cluster-id j-NONE"),
        /\(InvalidRequestException\).*Cluster id 'j-NONE' is not valid/,
      );
    });
  });

  describe("the cluster that lives on", () => {
    before(async () => {
      // The wait looks every 30 seconds only.
      await until("the cluster", async () =>
        ["RUNNING", "WAITING"].includes((await world().howdah.cluster(world().clusterId)).Status.State),
      );
      assert.equal(await aws("emr wait cluster-running --cluster-id", world().clusterId), "");
    });

    test("describe-cluster and list-instances say where its daemons are", async () => {
      const cluster = await describeCluster(aws, world().clusterId);
      assert.ok(["RUNNING", "WAITING"].includes(cluster.Status.State));
      const { Instances } = await aws(`emr list-instances --cluster-id ${world().clusterId} --instance-group-types MASTER`);
      assert.equal(Instances[0].PublicDnsName, cluster.MasterPublicDnsName);
      assert.equal((await fetch(`http://${cluster.MasterPublicDnsName}:8088/ws/v1/cluster/info`)).status, 200);
    });

    test("add-steps of each type; wait step-complete sees their end, and fails where they do", async () => {
      const { clusterId } = world();
      const { StepIds } = await aws(
        `emr add-steps --cluster-id ${clusterId} --steps`,
        `Type=STREAMING,Name=count,ActionOnFailure=CONTINUE,Args=[-mapper,cat,-reducer,/usr/bin/wc,-input,s3://${bucket}/words.txt,-output,${at("counted")}]`,
        `Type=CUSTOM_JAR,Name=copy,ActionOnFailure=CONTINUE,Jar=command-runner.jar,Args=[bash,-c,aws s3 cp s3://${bucket}/words.txt ${at("copied")}]`,
        "Name=fails,ActionOnFailure=CONTINUE,Jar=command-runner.jar,Args=[bash,-c,exit 7]",
      );
      const [count, copy, fails] = StepIds;
      for (const id of [count, copy]) {
        assert.equal(await stepEnded(id), "COMPLETED", id);
        assert.equal(await aws(`emr wait step-complete --cluster-id ${clusterId} --step-id ${id}`), "");
      }
      assert.match(await aws(`s3 cp ${at("counted/part-00000")} -`), /^\s*2\s+6\s/);
      assert.match(await aws(`s3 cp ${at("copied")} -`), /^elephant tiger/);
      assert.equal(await stepEnded(fails), "FAILED");
      const { Step } = await aws(`emr describe-step --cluster-id ${clusterId} --step-id ${fails}`);
      assert.equal(Step.Status.FailureDetails.LogFile, `s3://${bucket}/logs/${clusterId}/steps/${fails}/stderr.gz`);
      const waited = aws.fails(`emr wait step-complete --cluster-id ${clusterId} --step-id ${fails}`);
      assert.match(await waited, /Waiter StepComplete failed: .*terminal failure/);
      const { Steps } = await aws(`emr list-steps --cluster-id ${clusterId} --step-states FAILED`);
      assert.deepEqual(
        Steps.map(({ Id }: any) => Id).filter((id: string) => StepIds.includes(id)),
        [fails],
      );
    });

    test("cancel-steps ends what runs", async () => {
      const { clusterId } = world();
      const step = "Jar=command-runner.jar,ActionOnFailure=CONTINUE,Args=[sleep,1000]";
      const { StepIds } = await aws(`emr add-steps --cluster-id ${clusterId} --steps ${step}`);
      const [id] = StepIds;
      await stepIs(id, "RUNNING");
      const cancelled = await aws(
        `emr cancel-steps --cluster-id ${clusterId} --step-ids ${id} --step-cancellation-option TERMINATE_PROCESS`,
      );
      assert.equal(cancelled.CancelStepsInfoList[0].Status, "SUBMITTED");
      assert.equal(await stepEnded(id), "CANCELLED");
    });

    test("steps of applications that are not there, and steps that could never run, are refused", async () => {
      const refused = (steps: string) => aws.fails(`emr add-steps --cluster-id ${world().clusterId} --steps ${steps}`);
      assert.match(await refused("Type=PIG,Args=[-f,s3://a/b.q]"), /\(ValidationException\).*pig-script needs Pig/);
      assert.match(await refused("Type=CUSTOM_JAR,Jar=x.jar"), /\(ValidationException\).*The Jar 'x\.jar' cannot be fetched/);
      assert.match(
        await refused("Jar=command-runner.jar,Args=[true],ActionOnFailure=TERMINATE_CLUSTER"),
        /\(ValidationException\).*ActionOnFailure: with a StepConcurrencyLevel above 1 only CONTINUE is allowed/,
      );
    });

    test("tags, modify-cluster, modify-cluster-attributes and their protection", async () => {
      const { clusterId } = world();
      await aws(`emr add-tags --resource-id ${clusterId} --tags ${prefix}=x team=calves`);
      await aws(`emr remove-tags --resource-id ${clusterId} --tag-keys ${prefix}`);
      assert.equal((await aws(`emr modify-cluster --cluster-id ${clusterId} --step-concurrency-level 5`)).StepConcurrencyLevel, 5);
      await aws(`emr modify-cluster-attributes --cluster-id ${clusterId} --termination-protected`);
      const cluster = await describeCluster(aws, clusterId);
      assert.deepEqual([cluster.Tags, cluster.StepConcurrencyLevel], [[{ Key: "team", Value: "calves" }], 5]);
      assert.match(await aws.fails(`emr terminate-clusters --cluster-ids ${clusterId}`), /\(ValidationException\).*termination protected/);
      for (const how of ["--no-termination-protected", "--no-visible-to-all-users", "--visible-to-all-users"])
        await aws(`emr modify-cluster-attributes --cluster-id ${clusterId} ${how}`);
      assert.equal((await describeCluster(aws, clusterId)).TerminationProtected, false);
    });
  });

  settingsSuite(prefix, world, aws);

  test("create-default-roles has nothing to do, for an account begins with them; IAM's own commands show them", async () => {
    assert.deepEqual(await aws(`emr create-default-roles --iam-endpoint ${world().howdah.clientEnv.AWS_ENDPOINT_URL}`), []);
    const { Role } = await aws("iam get-role --role-name EMR_DefaultRole");
    assert.equal(Role.AssumeRolePolicyDocument.Statement[0].Principal.Service, "elasticmapreduce.amazonaws.com");
    const { AttachedPolicies } = await aws("iam list-attached-role-policies --role-name EMR_EC2_DefaultRole");
    assert.equal(AttachedPolicies[0].PolicyName, "AmazonElasticMapReduceforEC2Role");
    assert.match(await aws.fails("iam get-role --role-name nobody"), /\(NoSuchEntity\).*The role with name nobody cannot be found/);
  });
}

/** What clusters are given besides: on the shared cluster, and nothing that it would be changed by. */
export function settingsSuite(prefix: string, world: () => World, aws: Cli): void {
  test("security configurations: create, list, describe, delete, and what EMR does not know is refused", async () => {
    const name = `${prefix}-configuration`;
    const document = { AuthorizationConfiguration: { IAMConfiguration: { EnableApplicationScopedIAMRole: true } } };
    const create = `emr create-security-configuration --name ${name} --security-configuration`;
    const created = await aws(create, JSON.stringify(document));
    assert.equal(created.Name, name);
    const listed = await aws("emr list-security-configurations");
    assert.ok(listed.SecurityConfigurations.some((one: any) => one.Name === name && one.CreationDateTime === created.CreationDateTime));
    const described = await aws(`emr describe-security-configuration --name ${name}`);
    assert.deepEqual(JSON.parse(described.SecurityConfiguration), document);
    assert.match(await aws.fails(create, JSON.stringify(document)), /\(InvalidRequestException\).*already exists/);
    assert.match(await aws.fails(create, '{"Encryption":{}}'), /\(InvalidRequestException\).*Encryption/);
    await aws(`emr delete-security-configuration --name ${name}`);
    assert.match(await aws.fails(`emr describe-security-configuration --name ${name}`), /\(InvalidRequestException\)/);
  });

  test("policies of scaling and of the end are kept and removed", async () => {
    const { clusterId } = world();
    const scaling = { ComputeLimits: { UnitType: "Instances", MinimumCapacityUnits: 1, MaximumCapacityUnits: 3 } };
    await aws(`emr put-managed-scaling-policy --cluster-id ${clusterId} --managed-scaling-policy`, JSON.stringify(scaling));
    assert.deepEqual((await aws(`emr get-managed-scaling-policy --cluster-id ${clusterId}`)).ManagedScalingPolicy, scaling);
    await aws(`emr remove-managed-scaling-policy --cluster-id ${clusterId}`);
    assert.equal((await aws(`emr get-managed-scaling-policy --cluster-id ${clusterId}`)).ManagedScalingPolicy, undefined);
    await aws(`emr put-auto-termination-policy --cluster-id ${clusterId} --auto-termination-policy IdleTimeout=86400`);
    assert.deepEqual((await aws(`emr get-auto-termination-policy --cluster-id ${clusterId}`)).AutoTerminationPolicy, {
      IdleTimeout: 86400,
    });
    await aws(`emr remove-auto-termination-policy --cluster-id ${clusterId}`);
    const put = `emr put-auto-termination-policy --cluster-id ${clusterId} --auto-termination-policy IdleTimeout=1`;
    assert.match(await aws.fails(put), /IdleTimeout/);
  });

  test("get-block-public-access-configuration; what clusters of groups and a Howdah without studios say", async () => {
    const { BlockPublicAccessConfiguration: configuration } = await aws("emr get-block-public-access-configuration");
    assert.equal(configuration.BlockPublicSecurityGroupRules, true);
    assert.deepEqual(configuration.PermittedPublicSecurityGroupRuleRanges, [{ MinRange: 22, MaxRange: 22 }]);
    assert.match(await aws.fails(`emr list-instance-fleets --cluster-id ${world().clusterId}`), /mutually exclusive/);
    assert.match(await aws.fails("emr list-studios"), /\(InvalidRequestException\).*not there yet in Howdah/);
  });
}
