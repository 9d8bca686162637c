#!/bin/bash
# Hadoop's and Spark's commands, credentials in containers, logs afterwards.
. /tmp/checks.sh
echo "one two two" > /tmp/words
check "hadoop fs -mkdir" hadoop fs -mkdir -p in
check "a relative path" bash -c 'hadoop fs -put -f /tmp/words in/words && hadoop fs -ls | grep -q " in$" && hadoop fs -test -e /user/hadoop/in/words'
check "hadoop fs on s3://" bash -c 'hadoop fs -put -f /tmp/words s3://work/words && hadoop fs -ls s3://work/ | grep -q words && hadoop fs -cat s3://work/words'
check "the examples by their path" bash -c 'hadoop jar /usr/lib/hadoop-mapreduce/hadoop-mapreduce-examples.jar 2>&1 | grep -q wordcount'
check "a jar of one's own in /usr/lib/hadoop/lib" bash -c '[ "$(hadoop org.probe.Probe)" = probed ]'
check "and in the daemons" bash -c 'pid=$(systemctl show hadoop-yarn-resourcemanager | sed -n s/^MainPID=//p)
  ls -l /proc/$pid/fd | grep probe.jar || { jcmd $pid VM.system_properties | tee /tmp/jcmd.log | grep "java.class.path.*probe.jar" || { cut -c1-300 /tmp/jcmd.log; false; }; }'
for service in hdfs:9870 yarn:8088 mapreduce:19888 spark:18080; do
  check "localhost:${service#*:} is ${service%:*}'s" eventually curl -sf "http://localhost:${service#*:}/"
done

cat > /tmp/mapper.sh << 'MAPPER'
#!/bin/bash
echo "the mapper's home is $HOME" >&2
aws sts get-caller-identity --query Arn --output text
python3 -c 'import boto3, tabulate, toolz, inflection; print(boto3.client("sts").get_caller_identity()["Arn"])'
MAPPER
check "credentials, boto3 and packages in a container" bash -c '
  hadoop jar /usr/lib/hadoop-mapreduce/hadoop-streaming.jar -D mapreduce.job.reduces=0 -D mapreduce.job.maps=1 -files /tmp/mapper.sh \
    -mapper mapper.sh -input in/words -output out 2>&1 | tee /tmp/streaming.log
  [ "$(hadoop fs -cat out/part-* | grep -c assumed-role/EMR_EC2_DefaultRole/)" -ge 2 ]'
application=$(grep -o 'application_[0-9]*_[0-9]*' /tmp/streaming.log | head -1)
check "yarn logs -applicationId $application" eventually bash -c "yarn logs -applicationId $application | grep -q \"the mapper's home is\""
check "yarn application -list" bash -c 'yarn application -list -appStates FINISHED | grep -q application_'

cat > /tmp/job.py << 'JOB'
import subprocess, sys
import boto3, tabulate, toolz, inflection
from pyspark.sql import SparkSession

def look(_):
    import boto3, tabulate, toolz, inflection
    by_cli = subprocess.run(["aws", "sts", "get-caller-identity", "--query", "Arn", "--output", "text"], capture_output=True, text=True, check=True).stdout.strip()
    yield by_cli, boto3.client("sts").get_caller_identity()["Arn"]

spark = SparkSession.builder.getOrCreate()
for one in spark.sparkContext.parallelize(range(2), 2).mapPartitions(look).collect():
    assert one[0] == one[1] and "EMR_EC2_DefaultRole" in one[0], one
assert spark.range(4).selectExpr("reflect('org.probe.Probe', 'say') as said").distinct().collect()[0].said == "probed"
assert spark._jvm.org.probe.Probe.say() == "probed"
spark.range(3).write.mode("overwrite").parquet("s3://work/range")
print("well")
JOB
check "spark-submit, client mode" bash -c '/usr/bin/spark-submit --conf spark.dynamicAllocation.enabled=false --num-executors 1 --executor-memory 1g \
  --conf spark.driver.extraJavaOptions=-Xlog:class+load:file=/tmp/classes.log /tmp/job.py | grep -q well'
check "with the class archive, for all the jar beside Spark's" bash -c '[ "$(grep -c " org\.apache\.spark.*shared objects file" /tmp/classes.log)" -gt 500 ]'
check "spark-submit, cluster mode, /usr/bin/python3" /usr/lib/spark/bin/spark-submit --deploy-mode cluster --conf spark.dynamicAllocation.enabled=false --num-executors 1 --executor-memory 1g \
  --conf spark.pyspark.python=/usr/bin/python3 --conf spark.yarn.appMasterEnv.PYSPARK_PYTHON=/usr/bin/python3 --conf spark.executorEnv.PYSPARK_PYTHON=/usr/bin/python3 /tmp/job.py
