"""A DAG of Airflow's EMR operators and sensors as its documentation shows them, run whole by `dag.test()`.

Run by airflow.ts with AIRFLOW_HOME in a folder of its own, and with the connection aws_default in the environment.
"""
import json
import os
from datetime import datetime, timezone

from airflow.providers.amazon.aws.hooks.s3 import S3Hook
from airflow.providers.amazon.aws.operators.emr import (
    EmrAddStepsOperator,
    EmrCreateJobFlowOperator,
    EmrModifyClusterOperator,
    EmrTerminateJobFlowOperator,
)
from airflow.providers.amazon.aws.sensors.emr import EmrJobFlowSensor, EmrStepSensor
from airflow.sdk import DAG, task

BUCKET = os.environ["BUCKET"]
SOON = {"poke_interval": 1, "timeout": 400}


def command(name, *args):
    return {"Name": name, "ActionOnFailure": "CONTINUE", "HadoopJarStep": {"Jar": "command-runner.jar", "Args": list(args)}}


JOB_FLOW_OVERRIDES = {
    "Name": "from Airflow",
    "ReleaseLabel": os.environ["RELEASE_LABEL"],
    "Applications": [{"Name": "Spark"}],
    "LogUri": f"s3://{BUCKET}/airflow/logs/",
    "Instances": {
        "InstanceGroups": [
            {"Name": "Primary node", "Market": "ON_DEMAND", "InstanceRole": "MASTER", "InstanceType": "m5.xlarge", "InstanceCount": 1}
        ],
        "KeepJobFlowAliveWhenNoSteps": True,
        "TerminationProtected": False,
    },
    "JobFlowRole": "EMR_EC2_DefaultRole",
    "ServiceRole": "EMR_DefaultRole",
}

with DAG("emr", start_date=datetime(2026, 1, 1, tzinfo=timezone.utc), schedule=None, catchup=False) as dag:
    create = EmrCreateJobFlowOperator(task_id="create", job_flow_overrides=JOB_FLOW_OVERRIDES)
    ready = EmrJobFlowSensor(task_id="ready", job_flow_id=create.output, target_states=["RUNNING", "WAITING"], **SOON)
    modify = EmrModifyClusterOperator(task_id="modify", cluster_id=create.output, step_concurrency_level=2)
    add = EmrAddStepsOperator(
        task_id="add",
        job_flow_id=create.output,
        steps=[command("from Airflow", "bash", "-c", f"echo from Airflow | aws s3 cp - s3://{BUCKET}/airflow/{{{{ ds_nodash }}}}")],
    )
    ended = EmrStepSensor(
        task_id="ended", job_flow_id=create.output, step_id="{{ task_instance.xcom_pull(task_ids='add', key='return_value')[0] }}", **SOON
    )
    deferred = EmrAddStepsOperator(
        task_id="deferred", job_flow_name="from Airflow", cluster_states=["RUNNING", "WAITING"], steps=[command("two", "true"), command("three", "true")],
        deferrable=True, waiter_delay=1, waiter_max_attempts=400,
    )
    terminate = EmrTerminateJobFlowOperator(
        task_id="terminate", job_flow_id=create.output, deferrable=True, waiter_delay=1, waiter_max_attempts=400, trigger_rule="all_done"
    )
    gone = EmrJobFlowSensor(task_id="gone", job_flow_id=create.output, **SOON)

    @task
    def look(day):
        """What the step wrote, read through Airflow's own S3 hook."""
        assert S3Hook().read_key(f"airflow/{day}", BUCKET) == "from Airflow\n"

    create >> ready >> modify >> add >> ended >> look("{{ ds_nodash }}") >> deferred >> terminate >> gone

if __name__ == "__main__":
    run = dag.test(logical_date=datetime(2026, 11, 1, tzinfo=timezone.utc))
    print(json.dumps({ti.task_id: ti.state for ti in run.get_task_instances()}))
