"""awswrangler, configured by the environment alone: Parquet in S3 there and back, steps, states, the end of a cluster.

Run by clients.test.ts like boto3_suite.py. It is the last suite: it terminates the shared cluster.
"""
import io
import os
import time
import unittest

import awswrangler as wr
import boto3
import pandas as pd

BUCKET = os.environ["BUCKET"]
CLUSTER = os.environ["CLUSTER_ID"]
AT = f"s3://{BUCKET}/wrangler"


def ended(step):
    giving_up = time.monotonic() + 400
    while (state := wr.emr.get_step_state(CLUSTER, step)) in ("PENDING", "RUNNING"):
        if time.monotonic() > giving_up:
            raise TimeoutError(f"{step} is still {state}")
        time.sleep(1)
    return state


class Wrangler(unittest.TestCase):
    def test_1_parquet(self):
        flights = pd.DataFrame({"carrier": ["UA", "AA", "UA"], "delay": [2.5, -1.0, 7.25], "day": ["1", "1", "2"]})
        wr.s3.to_parquet(flights, f"{AT}/one.parquet")
        pd.testing.assert_frame_equal(wr.s3.read_parquet(f"{AT}/one.parquet"), flights, check_dtype=False)
        written = wr.s3.to_parquet(flights, f"{AT}/flights/", dataset=True, partition_cols=["day"])["paths"]
        self.assertEqual(sorted(path.split("/")[-2] for path in written), ["day=1", "day=2"])
        back = wr.s3.read_parquet(f"{AT}/flights/", dataset=True, partition_filter=lambda part: part["day"] == "1")
        self.assertEqual(sorted(back["carrier"]), ["AA", "UA"])
        self.assertEqual(sorted(wr.s3.list_objects(f"{AT}/flights/")), sorted(written))
        wr.s3.delete_objects(f"{AT}/one.parquet")
        self.assertFalse(wr.s3.does_object_exist(f"{AT}/one.parquet"))

    def test_2_spark_reads_it_and_what_spark_writes_is_read(self):
        program = (
            "import sys\nfrom pyspark.sql import SparkSession, functions as f\nspark = SparkSession.builder.getOrCreate()\n"
            "spark.read.parquet(sys.argv[1]).groupBy('carrier').agg(f.avg('delay').alias('mean')).write.parquet(sys.argv[2])\n"
        )
        wr.s3.upload(io.BytesIO(program.encode()), f"{AT}/mean.py")
        step = wr.emr.build_spark_step(path=f"{AT}/mean.py", args=[f"{AT}/flights/", f"{AT}/means/"], deploy_mode="client", name="mean")
        (submitted,) = wr.emr.submit_steps(CLUSTER, [step])
        self.assertEqual(ended(submitted), "COMPLETED")
        means = wr.s3.read_parquet(f"{AT}/means/")
        self.assertEqual(dict(zip(means["carrier"], means["mean"])), {"AA": -1.0, "UA": 4.875})

    def test_3_commands_and_scripts(self):
        wr.s3.upload(io.BytesIO(b'#!/bin/bash\n[ "$1" = yes ]\n'), f"{AT}/script.sh")
        steps = [
            wr.emr.submit_step(CLUSTER, command="hadoop fs -ls /", name="command"),
            wr.emr.submit_step(CLUSTER, command=f"{AT}/script.sh yes", name="script", script=True),
            wr.emr.submit_step(CLUSTER, command=f"{AT}/script.sh no", name="failing script", script=True),
        ]
        self.assertEqual([ended(step) for step in steps], ["COMPLETED", "COMPLETED", "FAILED"])

    def test_4_catalog(self):
        wr.catalog.create_database("wrangler", description="of a test")
        table = {"database": "wrangler", "table": "flights"}
        wr.catalog.create_parquet_table(**table, path=f"{AT}/flights/", columns_types={"carrier": "string", "delay": "double"},
                                        partitions_types={"day": "int"}, columns_comments={"delay": "minutes"})  # fmt: skip
        days = {f"{AT}/flights/day={day}/": [str(day)] for day in (1, 2)}
        wr.catalog.add_parquet_partitions(**table, partitions_values=days)
        self.assertEqual(wr.catalog.get_partitions(**table), days)
        self.assertEqual(wr.catalog.get_partitions(**table, expression="day > 1"), {f"{AT}/flights/day=2/": ["2"]})
        wr.catalog.upsert_table_parameters({"of": "a test"}, **table)
        self.assertEqual(wr.catalog.get_table_parameters(**table)["of"], "a test")
        self.assertEqual(wr.catalog.get_table_types(**table), {"carrier": "string", "delay": "double", "day": "int"})
        self.assertEqual([found["Name"] for found in wr.catalog.get_tables(database="wrangler", name_prefix="fl")], ["flights"])
        wr.catalog.delete_all_partitions(**table)
        self.assertTrue(wr.catalog.delete_table_if_exists(**table))
        wr.catalog.delete_database("wrangler")

    def test_5_create_cluster_of_instance_fleets(self):
        subnet = boto3.client("ec2").describe_subnets()["Subnets"][0]["SubnetId"]
        cluster = wr.emr.create_cluster(subnet, emr_release=os.environ["RELEASE_LABEL"], applications=["Spark"], spark_glue_catalog=False,
                                        hive_glue_catalog=False, presto_glue_catalog=False, python3=False, debugging=False,
                                        instance_num_on_demand_core=1, instance_num_spot_core=1, instance_num_on_demand_task=0,
                                        logging_s3_path=f"s3://{BUCKET}/logs/", keep_cluster_alive_when_no_steps=True)  # fmt: skip
        self.assertIn(wr.emr.get_cluster_state(cluster), ("STARTING", "BOOTSTRAPPING", "WAITING"))
        fleets = boto3.client("emr").list_instance_fleets(ClusterId=cluster)["InstanceFleets"]
        self.assertEqual([(one["Name"], one["TargetOnDemandCapacity"], one["TargetSpotCapacity"]) for one in fleets],
                         [("MASTER", 1, 0), ("CORE", 1, 1)])  # fmt: skip
        wr.emr.terminate_cluster(cluster)

    def test_6_terminate_cluster(self):
        self.assertIn(wr.emr.get_cluster_state(CLUSTER), ("RUNNING", "WAITING"))
        wr.emr.terminate_cluster(CLUSTER)
        giving_up = time.monotonic() + 400
        while (state := wr.emr.get_cluster_state(CLUSTER)) != "TERMINATED":
            self.assertEqual(state, "TERMINATING")
            self.assertLess(time.monotonic(), giving_up)
            time.sleep(1)


if __name__ == "__main__":
    unittest.main()
