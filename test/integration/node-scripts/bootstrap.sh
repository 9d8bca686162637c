#!/bin/bash
# A bootstrap action as people write them; runs on every node, before any daemon.
aws s3 cp s3://work/scripts/checks.sh /tmp/checks.sh && . /tmp/checks.sh

check "whoami is hadoop" test "$(whoami)" = hadoop
check "HOME is /home/hadoop" test "$HOME" = /home/hadoop
check "isMaster in instance.json" grep -q isMaster /mnt/var/lib/info/instance.json
check "the script is where EMR keeps it" ls /emr/instance-controller/lib/bootstrap-actions/1/
check "aws" aws sts get-caller-identity
check "boto3" python3 -c 'import boto3; boto3.client("sts").get_caller_identity()'
check "sudo yum update" sudo yum -y update
check "sudo yum install" sudo yum install -y hello
check "installed by yum" hello
check "sudo pip3 install" sudo pip3 install tabulate
check "pip install --user" pip install --user toolz
echo inflection > /tmp/requirements.txt
check "python3 -m pip install -r" sudo python3 -m pip install -r /tmp/requirements.txt
check "imported at once" python3 -c 'import tabulate, toolz, inflection'

# A jar of one's own for Spark and for Hadoop, put where EMR's engines look for them.
mkdir -p /tmp/probe/org/probe && cd /tmp/probe
cat > org/probe/Probe.java << 'JAVA'
package org.probe;
public class Probe {
  public static String say() { return "probed"; }
  public static void main(String[] args) { System.out.println(say()); }
}
JAVA
check "javac" javac --release 8 -nowarn org/probe/Probe.java
check "jar" jar cf probe.jar org/probe/Probe.class
check "sudo mkdir and cp into /usr/lib/spark/jars" sudo cp probe.jar /usr/lib/spark/jars/
check "sudo cp into /usr/lib/hadoop/lib" sudo cp probe.jar /usr/lib/hadoop/lib/

# What is to be done once everything is installed waits behind, as AWS's own examples do it.
cat > /home/hadoop/after.sh << 'AFTER'
while true; do
  NODEPROVISIONSTATE=`sed -n '/localInstance [{]/,/[}]/{
  /nodeProvisionCheckinRecord [{]/,/[}]/ {
  /status: / { p }
  /[}]/a
  }
  /[}]/a
  }' /emr/instance-controller/lib/info/job-flow-state.txt | awk ' { print $2 }'`
  [ "$NODEPROVISIONSTATE" == "SUCCESSFUL" ] && break
  sleep 1
done
cat /etc/hadoop/conf/core-site.xml > /home/hadoop/after-provisioning
AFTER
bash /home/hadoop/after.sh > /tmp/after.log 2>&1 &
