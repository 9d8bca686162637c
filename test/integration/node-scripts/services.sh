#!/bin/bash
# The node's daemons by EMR's service names.
. /tmp/checks.sh
rm=hadoop-yarn-resourcemanager
pid() { systemctl show "$1" | sed -n 's/^MainPID=//p'; }
for name in hadoop-hdfs-namenode $rm hadoop-mapreduce-historyserver spark-history-server; do
  check "systemctl is-active $name" sudo systemctl is-active $name
done
check "systemctl status" bash -c "sudo systemctl status $rm --no-pager | grep -q 'active (running)'"
check "service status" sudo service $rm status

before=$(pid $rm)
value() { curl -sf "http://localhost:8088/conf?name=yarn.resourcemanager.max-completed-applications" | grep -q 4321; }
sudo sed -i 's|</configuration>|<property><name>yarn.resourcemanager.max-completed-applications</name><value>4321</value></property></configuration>|' /etc/hadoop/conf/yarn-site.xml
check "systemctl restart" sudo systemctl restart $rm
check "another process" test "$before" != "$(pid $rm)"
check "with the edited file" eventually value

check "systemctl stop" sudo systemctl stop spark-history-server
refused "it is inactive" inactive systemctl is-active spark-history-server
# The agent starts again, and neither starts what was stopped nor writes over what was edited.
# PID 1, the init, names it too.
agent() { grep -lz 'agent/main.js$' /proc/[0-9]*/cmdline 2> /dev/null | grep -o '[0-9]*' | grep -vx 1 | head -1; }
old=$(agent)
kill -9 "$old"
other() { local now; now=$(agent); [ -n "$now" ] && [ "$now" != "$old" ]; }
check "another agent" eventually other
check "the edit is still there" grep -q 4321 /etc/hadoop/conf/yarn-site.xml
refused "what was stopped is still down" inactive systemctl is-active spark-history-server
check "systemctl start" sudo systemctl start spark-history-server
check "its page on localhost" eventually curl -sf http://localhost:18080/
check "sudo service restart" sudo service hadoop-mapreduce-historyserver restart
check "YARN is whole again" eventually bash -c 'curl -sf http://localhost:8088/ws/v1/cluster/metrics | grep -q "\"activeNodes\":1"'
