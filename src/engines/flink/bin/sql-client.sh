#!/bin/bash
# sql-client.sh [embedded | gateway] [-i FILE] [-f FILE] [-j JAR]: Flink's SQL.
# shellcheck disable=SC1091
. "$(dirname "$(readlink -f "$0")")/flink-functions.sh"
# Its jline is newer than that of Hadoop.
CLASSPATH=$FLINK_HOME/opt/*:$CLASSPATH
run_class sql-client log4j-cli.properties org.apache.flink.table.client.SqlClient "$@"
