"""boto3: its waiters with every outcome, its paginators over more than one page, its exceptions by class and message.

Run by clients.test.ts with the environment that `howdah env` prints, BUCKET, CLUSTER_ID (the shared cluster, running or on its way there)
and RELEASE_LABEL. It asserts for itself; its exit code tells.
"""
import json
import os
import unittest

import boto3
from botocore.exceptions import ClientError, ParamValidationError, WaiterError

BUCKET = os.environ["BUCKET"]
CLUSTER = os.environ["CLUSTER_ID"]
RELEASE = os.environ["RELEASE_LABEL"]
SOON = {"Delay": 1, "MaxAttempts": 400}

emr = boto3.client("emr")


def command(name, *args, **more):
    return {"Name": name, "ActionOnFailure": "CONTINUE", "HadoopJarStep": {"Jar": "command-runner.jar", "Args": list(args)}, **more}


def run(name="boto3", **more):
    instances = {"MasterInstanceType": "m5.xlarge", "InstanceCount": 1, "KeepJobFlowAliveWhenNoSteps": True, **more.pop("Instances", {})}
    return emr.run_job_flow(
        **{
            "Name": name,
            "ReleaseLabel": RELEASE,
            "JobFlowRole": "EMR_EC2_DefaultRole",
            "ServiceRole": "EMR_DefaultRole",
            "Instances": instances,
            **more,
        }
    )["JobFlowId"]


def run_too_large(name, **more):
    """A cluster that no host of this size can hold: it ends at once, with errors, and no process was started for it."""
    id = run(name, Instances={"SlaveInstanceType": "m5.xlarge", "InstanceCount": 250}, **more)
    while emr.describe_cluster(ClusterId=id)["Cluster"]["Status"]["State"] != "TERMINATED_WITH_ERRORS":
        pass
    return id


class Clusters(unittest.TestCase):
    def test_waiter_cluster_running_succeeds(self):
        emr.get_waiter("cluster_running").wait(ClusterId=CLUSTER, WaiterConfig=SOON)
        cluster = emr.describe_cluster(ClusterId=CLUSTER)["Cluster"]
        self.assertIn(cluster["Status"]["State"], ("RUNNING", "WAITING"))
        timeline = cluster["Status"]["Timeline"]
        self.assertLess(timeline["CreationDateTime"], timeline["ReadyDateTime"])
        self.assertEqual(cluster["ClusterArn"], boto3.client("sts").get_caller_identity()["Account"].join((f"arn:aws:elasticmapreduce:{emr.meta.region_name}:", f":cluster/{CLUSTER}")))

    def test_waiters_of_clusters_fail_and_give_up(self):
        id = run_too_large("waits that fail")
        for name in ("cluster_running", "cluster_terminated"):
            with self.assertRaisesRegex(WaiterError, "terminal failure state") as raised:
                emr.get_waiter(name).wait(ClusterId=id)
            status = raised.exception.last_response["Cluster"]["Status"]
            self.assertEqual(status["StateChangeReason"]["Code"], "INTERNAL_ERROR")
            self.assertEqual(status["ErrorDetails"][0]["ErrorCode"], "INTERNAL_ERROR_EC2_INSUFFICIENT_CAPACITY_AZ")
        emr.get_waiter("cluster_running").wait(ClusterId=CLUSTER, WaiterConfig=SOON)
        with self.assertRaisesRegex(WaiterError, "Max attempts exceeded"):
            emr.get_waiter("cluster_terminated").wait(ClusterId=CLUSTER, WaiterConfig={"Delay": 1, "MaxAttempts": 1})

    def test_paginators_over_more_than_one_page(self):
        steps = [command(f"step {n}", "true") for n in range(120)]
        id = run_too_large("many steps", Steps=steps)
        pages = list(emr.get_paginator("list_steps").paginate(ClusterId=id))
        self.assertEqual([len(page["Steps"]) for page in pages], [50, 50, 20])
        names = [step["Name"] for page in pages for step in page["Steps"]]
        self.assertEqual(names, [f"step {n}" for n in reversed(range(120))])
        first = emr.get_paginator("list_steps").paginate(ClusterId=id, PaginationConfig={"MaxItems": 70}).build_full_result()
        self.assertEqual(len(first["Steps"]), 70)
        rest = emr.get_paginator("list_steps").paginate(ClusterId=id, PaginationConfig={"StartingToken": first["NextToken"]})
        self.assertEqual([step["Name"] for page in rest for step in page["Steps"]], names[70:])

        ids = [run_too_large(f"many {n}") for n in range(52)]
        pages = list(emr.get_paginator("list_clusters").paginate(ClusterStates=["TERMINATED_WITH_ERRORS"]))
        self.assertEqual(len(pages[0]["Clusters"]), 50)
        listed = [cluster["Id"] for page in pages for cluster in page["Clusters"]]
        self.assertEqual(len(listed), len(set(listed)))
        self.assertEqual([id for id in listed if id in ids], ids[::-1])

    def test_other_paginators(self):
        actions = [{"Name": f"a{n}", "ScriptBootstrapAction": {"Path": f"s3://{BUCKET}/a.sh", "Args": [str(n)]}} for n in range(16)]
        id = run_too_large("paginators", BootstrapActions=actions)
        found = emr.get_paginator("list_bootstrap_actions").paginate(ClusterId=id).build_full_result()["BootstrapActions"]
        self.assertEqual([(a["Name"], a["Args"]) for a in found], [(f"a{n}", [str(n)]) for n in range(16)])
        groups = emr.get_paginator("list_instance_groups").paginate(ClusterId=id).build_full_result()["InstanceGroups"]
        self.assertEqual([(g["InstanceGroupType"], g["RequestedInstanceCount"]) for g in groups], [("MASTER", 1), ("CORE", 249)])
        emr.get_waiter("cluster_running").wait(ClusterId=CLUSTER, WaiterConfig=SOON)
        instances = emr.get_paginator("list_instances").paginate(ClusterId=CLUSTER, InstanceStates=["RUNNING"]).build_full_result()["Instances"]
        self.assertEqual(len(instances), 1)

    def test_releases_and_instance_types(self):
        self.assertIn(RELEASE, emr.list_release_labels(Filters={"Application": "spark"})["ReleaseLabels"])
        applications = emr.describe_release_label(ReleaseLabel=RELEASE)["Applications"]
        self.assertLessEqual({"Hadoop", "Spark"}, {a["Name"] for a in applications})
        types, page = [], {}
        while not types or "Marker" in page:
            page = emr.list_supported_instance_types(ReleaseLabel=RELEASE, **({"Marker": page["Marker"]} if types else {}))
            types += [t["Type"] for t in page["SupportedInstanceTypes"]]
        self.assertIn("m5.xlarge", types)
        self.assertEqual(len(types), len(set(types)))

    def test_describe_job_flows(self):
        id = run_too_large("older spelling", Steps=[command("one", "true")])
        (flow,) = emr.describe_job_flows(JobFlowIds=[id])["JobFlows"]
        self.assertEqual((flow["Name"], flow["ExecutionStatusDetail"]["State"], flow["Steps"][0]["StepConfig"]["Name"]), ("older spelling", "FAILED", "one"))


class Settings(unittest.TestCase):
    """What clusters are given besides; these tests leave the shared cluster as it was."""

    def test_security_configurations(self):
        name = "boto3-configuration"
        document = {"AuthorizationConfiguration": {"IAMConfiguration": {"EnableApplicationScopedIAMRole": True}}}
        created = emr.create_security_configuration(Name=name, SecurityConfiguration=json.dumps(document))
        self.addCleanup(emr.delete_security_configuration, Name=name)
        described = emr.describe_security_configuration(Name=name)
        self.assertEqual(json.loads(described["SecurityConfiguration"]), document)
        self.assertEqual(described["CreationDateTime"], created["CreationDateTime"])
        pages = emr.get_paginator("list_security_configurations").paginate().build_full_result()
        self.assertIn(name, [one["Name"] for one in pages["SecurityConfigurations"]])
        with self.assertRaisesRegex(emr.exceptions.InvalidRequestException, "already exists"):
            emr.create_security_configuration(Name=name, SecurityConfiguration=json.dumps(document))

    def test_policies(self):
        limits = {"UnitType": "Instances", "MinimumCapacityUnits": 1, "MaximumCapacityUnits": 3}
        emr.put_managed_scaling_policy(ClusterId=CLUSTER, ManagedScalingPolicy={"ComputeLimits": limits})
        self.addCleanup(emr.remove_managed_scaling_policy, ClusterId=CLUSTER)
        self.assertEqual(emr.get_managed_scaling_policy(ClusterId=CLUSTER)["ManagedScalingPolicy"]["ComputeLimits"], limits)
        emr.put_auto_termination_policy(ClusterId=CLUSTER, AutoTerminationPolicy={"IdleTimeout": 604800})
        self.addCleanup(emr.remove_auto_termination_policy, ClusterId=CLUSTER)
        self.assertEqual(emr.get_auto_termination_policy(ClusterId=CLUSTER)["AutoTerminationPolicy"], {"IdleTimeout": 604800})

    def test_block_public_access(self):
        before = emr.get_block_public_access_configuration()["BlockPublicAccessConfiguration"]
        emr.put_block_public_access_configuration(BlockPublicAccessConfiguration=before)
        after = emr.get_block_public_access_configuration()
        self.assertEqual(after["BlockPublicAccessConfiguration"], before)
        self.assertEqual(after["BlockPublicAccessConfigurationMetadata"]["CreatedByArn"], boto3.client("sts").get_caller_identity()["Arn"])

    def test_unhealthy_node_replacement(self):
        for on in (False, True):
            emr.set_unhealthy_node_replacement(JobFlowIds=[CLUSTER], UnhealthyNodeReplacement=on)
            self.assertEqual(emr.describe_cluster(ClusterId=CLUSTER)["Cluster"]["UnhealthyNodeReplacement"], on)


class Steps(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        emr.get_waiter("cluster_running").wait(ClusterId=CLUSTER, WaiterConfig=SOON)

    def test_waiter_step_complete_succeeds_and_s3_has_what_the_step_wrote(self):
        s3 = boto3.client("s3")
        s3.put_object(Bucket=BUCKET, Key="boto3/in", Body=b"from boto3\n")
        script = f"aws s3 cp s3://{BUCKET}/boto3/in - | tr a-z A-Z | aws s3 cp - s3://{BUCKET}/boto3/out"
        added = emr.add_job_flow_steps(JobFlowId=CLUSTER, Steps=[command("upper", "bash", "-c", script)])
        emr.get_waiter("step_complete").wait(ClusterId=CLUSTER, StepId=added["StepIds"][0], WaiterConfig=SOON)
        self.assertEqual(s3.get_object(Bucket=BUCKET, Key="boto3/out")["Body"].read(), b"FROM BOTO3\n")
        s3.get_waiter("object_exists").wait(Bucket=BUCKET, Key="boto3/out")
        status = emr.describe_step(ClusterId=CLUSTER, StepId=added["StepIds"][0])["Step"]["Status"]
        times = [status["Timeline"][name] for name in ("CreationDateTime", "StartDateTime", "EndDateTime")]
        self.assertEqual(times, sorted(times))

    def test_waiter_step_complete_fails(self):
        added = emr.add_job_flow_steps(JobFlowId=CLUSTER, Steps=[command("bad", "bash", "-c", "echo 'no such calf' >&2; exit 4")])
        with self.assertRaisesRegex(WaiterError, "terminal failure state") as raised:
            emr.get_waiter("step_complete").wait(ClusterId=CLUSTER, StepId=added["StepIds"][0], WaiterConfig=SOON)
        details = raised.exception.last_response["Step"]["Status"]["FailureDetails"]
        self.assertIn("no such calf", details["Message"])
        self.assertEqual(details["LogFile"], f"s3://{BUCKET}/logs/{CLUSTER}/steps/{added['StepIds'][0]}/stderr.gz")


class Errors(unittest.TestCase):
    def test_by_class_and_message(self):
        with self.assertRaisesRegex(emr.exceptions.InvalidRequestException, "Cluster id 'j-NONE' is not valid") as raised:
            emr.describe_cluster(ClusterId="j-NONE")
        self.assertEqual(raised.exception.response["Error"]["Code"], "InvalidRequestException")
        self.assertEqual(raised.exception.response["ResponseMetadata"]["HTTPStatusCode"], 400)
        self.assertTrue(raised.exception.response["ResponseMetadata"]["RequestId"])
        with self.assertRaisesRegex(emr.exceptions.InvalidRequestException, "Step id 's-NONE' is not valid"):
            emr.describe_step(ClusterId=CLUSTER, StepId="s-NONE")
        with self.assertRaisesRegex(emr.exceptions.InvalidRequestException, "not there yet in Howdah"):
            emr.list_studios()
        for region in ("eu-west-1",):
            with self.assertRaises(emr.exceptions.InvalidRequestException):
                boto3.client("emr", region_name=region).describe_cluster(ClusterId=CLUSTER)

    def test_validation(self):
        with self.assertRaises(ParamValidationError):
            emr.run_job_flow(Name="no instances")
        with self.assertRaisesRegex(ClientError, "ValidationException.*InstanceGroups, InstanceFleets or MasterInstanceType"):
            emr.run_job_flow(Name="empty", ReleaseLabel=RELEASE, Instances={})
        with self.assertRaisesRegex(ClientError, r"ValidationException.*Member must satisfy enum value set"):
            emr.add_job_flow_steps(JobFlowId=CLUSTER, Steps=[{**command("x", "true"), "ActionOnFailure": "PANIC"}])
        with self.assertRaisesRegex(ClientError, "ValidationException.*Maximum number of active steps|ValidationException.*at most 256"):
            emr.add_job_flow_steps(JobFlowId=CLUSTER, Steps=[command(str(n), "true") for n in range(257)])

    def test_credentials(self):
        for how, code in (
            ({"aws_secret_access_key": "wrong"}, "InvalidSignatureException"),
            ({"aws_access_key_id": "AKIANOBODY", "aws_secret_access_key": "x"}, "UnrecognizedClientException"),
        ):
            session = boto3.Session(**{"aws_access_key_id": os.environ["AWS_ACCESS_KEY_ID"], **how})
            with self.assertRaises(ClientError) as raised:
                session.client("emr").list_clusters()
            self.assertEqual(raised.exception.response["Error"]["Code"], code)


class S3Resource(unittest.TestCase):
    """boto3.resource, configured by the environment alone."""

    def test_objects(self):
        bucket = boto3.resource("s3").Bucket(BUCKET)
        for n in range(3):
            bucket.put_object(Key=f"boto3/r/{n}", Body=json.dumps(n).encode())
        found = [(o.key, json.load(o.get()["Body"])) for o in bucket.objects.filter(Prefix="boto3/r/").page_size(2)]
        self.assertEqual(found, [(f"boto3/r/{n}", n) for n in range(3)])
        bucket.objects.filter(Prefix="boto3/r/").delete()
        self.assertEqual(list(bucket.objects.filter(Prefix="boto3/r/")), [])


if __name__ == "__main__":
    unittest.main()
