#!/bin/bash
# EMR's absolute paths, as seen by a step on the master.
. /tmp/checks.sh
for path in /home/hadoop /mnt /mnt/hdfs /mnt/yarn /mnt/tmp /mnt/var/log /mnt/var/log/hadoop-hdfs /mnt/var/log/hadoop-yarn /mnt/var/log/hadoop-mapreduce \
  /mnt/var/log/spark /mnt/var/log/hadoop-yarn/containers /mnt/var/log/bootstrap-actions/1/controller /mnt/var/log/bootstrap-actions/1/stdout /mnt/var/log/bootstrap-actions/1/stderr \
  /var/log/hadoop-hdfs /var/log/hadoop-yarn /var/log/hadoop-mapreduce /var/log/spark \
  /usr/lib/hadoop/bin/hadoop /usr/lib/hadoop/lib /usr/lib/hadoop/etc/hadoop/core-site.xml /usr/lib/hadoop/hadoop-aws.jar /usr/lib/hadoop/hadoop-common.jar \
  /usr/lib/hadoop-hdfs/hadoop-hdfs.jar /usr/lib/hadoop-yarn/hadoop-yarn-api.jar \
  /usr/lib/hadoop-mapreduce/hadoop-mapreduce-examples.jar /usr/lib/hadoop-mapreduce/hadoop-streaming.jar /usr/lib/hadoop-mapreduce/hadoop-distcp.jar \
  /usr/lib/spark/bin/spark-submit /usr/lib/spark/jars /usr/lib/spark/python/lib/pyspark.zip /usr/lib/spark/examples/src/main/python/pi.py /usr/lib/spark/conf/spark-defaults.conf \
  /etc/hadoop/conf/yarn-site.xml /etc/spark/conf/spark-defaults.conf /usr/share/aws/emr /emr/instance-controller/log /emr/instance-controller/lib/info/job-flow.json \
  /usr/bin/hadoop /usr/bin/hdfs /usr/bin/yarn /usr/bin/mapred /usr/bin/spark-submit /usr/bin/spark-shell /usr/bin/pyspark /usr/bin/spark-sql /usr/bin/python3 /usr/bin/aws \
  /usr/lib/jvm/java-17-amazon-corretto/bin/java "$JAVA_HOME/bin/java" /mnt/var/lib/instance-controller/extraInstanceData.json; do
  check "$path" ls "$path"
done
steps=/mnt/var/log/hadoop/steps/$HOWDAH_STEP_ID
check "the step's own logs" grep -q startExec "$steps/controller"
check "the step's stdout" grep -q "ok: /home/hadoop" "$steps/stdout"
check "the namenode's log" grep -q NameNode /var/log/hadoop-hdfs/hadoop-hdfs-namenode-*.log

json() { python3 -c 'import json, sys; print(json.load(open(f"/mnt/var/lib/info/{sys.argv[1]}.json"))[sys.argv[2]])' "$@"; }
check "isMaster" test "$(json instance isMaster)" = True
check "isRunningNameNode" test "$(json instance isRunningNameNode)" = True
check "isRunningDataNode" test "$(json instance isRunningDataNode)" = False
check "jobFlowId" aws emr describe-cluster --cluster-id "$(json job-flow jobFlowId)"
check "masterPrivateDnsName" test "$(json job-flow masterPrivateDnsName)" = "$(hostname -s)"
check "masterInstanceId" bash -c 'aws emr list-instances --cluster-id "$1" | grep -q "$2"' . "$(json job-flow jobFlowId)" "$(json job-flow masterInstanceId)"
check "instanceGroups" bash -c 'grep -q "\"instanceRole\": \"Core\"" /mnt/var/lib/info/job-flow.json'
check "instanceRole" test "$(json extraInstanceData instanceRole)" = master
ec2=http://169.254.169.254/latest
check "EC2's metadata" test "$(curl -sf $ec2/meta-data/local-ipv4)" = "$HOWDAH_NODE_IP"
check "EC2's metadata with a token" bash -c 'token=$(curl -sf -X PUT '$ec2'/api/token -H "X-aws-ec2-metadata-token-ttl-seconds: 60") && curl -sf -H "X-aws-ec2-metadata-token: $token" '$ec2'/meta-data/instance-id | grep "^i-"'
check "the instance's identity" bash -c 'curl -sf '$ec2'/dynamic/instance-identity/document | grep -q "\"region\": \"us-east-1\""'
check "no credentials there" bash -c '! curl -sf '$ec2'/meta-data/iam/security-credentials/'
check "hostname -f" bash -c '[[ $(hostname -f) == ip-127-*.ec2.internal ]]'
check "the node's name resolves" getent hosts "$(hostname -f)"
check "what waited for the end of provisioning" eventually grep -q fs.defaultFS /home/hadoop/after-provisioning
