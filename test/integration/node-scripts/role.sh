#!/bin/bash
# A step with a runtime role: everything that it starts has that role's credentials, in containers of any node too, and no others.
. /tmp/checks.sh
role=$1
check "the step itself" bash -c 'aws sts get-caller-identity --query Arn --output text | grep "assumed-role/'"$role"'/s-"'
check "boto3" bash -c "python3 -c 'import boto3; print(boto3.client(\"sts\").get_caller_identity()[\"Arn\"])' | grep 'assumed-role/$role/s-'"
check "what the role may read" aws s3 cp s3://work/scripts/role.sh /tmp/role-copy.sh
refused "what the role may not write" "Access \?Denied" aws s3 cp /tmp/role-copy.sh s3://work/denied
refused "by Hadoop neither" "Access \?Denied" hadoop fs -put /tmp/role-copy.sh s3://work/denied
check "what Hadoop may read" bash -c 'hadoop fs -cat s3://work/scripts/role.sh | grep -q "runtime role"'

cat > /tmp/role-mapper.sh << 'MAPPER'
#!/bin/bash
aws sts get-caller-identity --query Arn --output text
MAPPER
check "MapReduce" bash -c '
  hadoop fs -mkdir -p role-in && hadoop fs -put -f /tmp/role-copy.sh role-in/words
  hadoop jar /usr/lib/hadoop-mapreduce/hadoop-streaming.jar -D mapreduce.job.reduces=0 -D mapreduce.job.maps=1 -files /tmp/role-mapper.sh \
    -mapper role-mapper.sh -input role-in/words -output role-out
  hadoop fs -cat role-out/part-* | grep "assumed-role/'"$role"'/s-"'

cat > /tmp/role-job.py << 'JOB'
import sys
from pyspark.sql import SparkSession

def who(_):
    import boto3
    yield boto3.client("sts").get_caller_identity()["Arn"]

spark = SparkSession.builder.getOrCreate()
arns = [*spark.sparkContext.parallelize(range(2), 2).mapPartitions(who).collect(), *who(0)]
assert all(f"assumed-role/{sys.argv[1]}/s-" in arn for arn in arns), arns
spark.read.text("s3://work/scripts/role.sh").count()
JOB
for mode in client cluster; do
  check "Spark, $mode mode" spark-submit --deploy-mode $mode --conf spark.dynamicAllocation.enabled=false --num-executors 1 --executor-memory 1g /tmp/role-job.py "$role"
done
