#!/bin/bash
# sudo, su, login shells, systemctl's refusals.
. /tmp/checks.sh
is() { [ "$1" = "$2" ] || { echo "'$1' is not '$2'"; return 1; }; }
check "id -un" is "$(id -un)" hadoop
check "sudo" sudo touch /etc/howdah-node-test
check "sudo -u hdfs" is "$(sudo -u hdfs sh -c 'echo $HADOOP_USER_NAME')" hdfs
check "sudo --user=hdfs" is "$(sudo --user=hdfs sh -c 'echo $HADOOP_USER_NAME')" hdfs
check "sudo -nu hdfs" is "$(sudo -nu hdfs sh -c 'echo $HADOOP_USER_NAME')" hdfs
check "sudo -E NAME=VALUE" is "$(sudo -E A=b sh -c 'echo $A')" b
check "sudo sh -c keeps its words" is "$(sudo sh -c 'echo "$1"' . 'a  b')" "a  b"
check "sudo -i keeps its words" is "$(sudo -i printf '%s|' 'a  b' '$HOME')" 'a  b|$HOME|'
check "sudo -s" is "$(sudo -s echo x)" x
check "sudo su - hadoop -c" is "$(sudo su - hadoop -c 'echo $HOME $HADOOP_USER_NAME')" "/home/hadoop hadoop"
check "su - hdfs -c" is "$(su - hdfs -c 'echo $HADOOP_USER_NAME')" hdfs
check "su -c" is "$(su hadoop -c 'echo "a  b"')" "a  b"
check "su - by standard input" is "$(sudo su - hadoop <<< 'echo $PWD')" /home/hadoop
check "runuser" is "$(runuser -u hdfs -- sh -c 'echo $HADOOP_USER_NAME')" hdfs
refused "su to nobody known" "does not exist" su - nosuchuser -c true
check "a login shell has the node's environment" env -i bash -lc '[ -x "$JAVA_HOME/bin/java" ] && [ "$HOME" = /home/hadoop ] && hadoop version && aws sts get-caller-identity && python3 -c "import boto3, toolz"'
check "a login shell has one's own settings" bash -c 'echo "export MINE=yes" >> ~/.bashrc; [ "$(env -i HOME=/home/hadoop bash -lc "echo \$MINE")" = yes ]'
check "a command named in full needs no environment" env -i /usr/bin/hadoop fs -ls /
check "python3 of /usr/bin is the node's" env -i /usr/bin/python3 -c 'import tabulate, boto3'
check "a script for /usr/bin/python3" bash -c 'printf "#!/usr/bin/python3\nimport tabulate\n" > /tmp/a.py && chmod +x /tmp/a.py && /tmp/a.py'
check "chown hdfs:hadoop" bash -c 'touch /mnt/tmp/x && sudo chown hdfs:hadoop /mnt/tmp/x'
check "the superuser of HDFS" sudo -u hdfs hdfs dfsadmin -report
refused "Upstart's commands" "systemctl stop hadoop-yarn-resourcemanager" sudo stop hadoop-yarn-resourcemanager
refused "initctl" "systemctl list" sudo initctl list
refused "a service that is none" "could not be found" sudo systemctl restart httpd
refused "amazon-linux-extras" "not Amazon Linux" sudo amazon-linux-extras install -y epel
