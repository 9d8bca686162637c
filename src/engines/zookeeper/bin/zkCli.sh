#!/bin/bash
# ZooKeeper's shell, on EMR zookeeper-client: zkCli.sh [-server HOST:PORT] [COMMAND]. It knows the cluster's server.
home=$(dirname "$(dirname "$(readlink -f "$0")")")
[[ " $* " == *" -server "* || -z $HOWDAH_ZOOKEEPER ]] || set -- -server "$HOWDAH_ZOOKEEPER" "$@"
exec "${JAVA_HOME:+$JAVA_HOME/bin/}java" -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -cp "$home/lib/*:$ZOOCFGDIR" org.apache.zookeeper.ZooKeeperMain "$@"
