# Read by flink, yarn-session.sh, sql-client.sh and sql-gateway.sh: where things are, and how a command's JVM is started.
# Honoured: FLINK_CONF_DIR, FLINK_LOG_DIR, HADOOP_CLASSPATH, JVM_ARGS, and env.java.opts.all and env.java.opts.client of flink-conf.yaml.

FLINK_HOME=$(dirname "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")")
export FLINK_HOME
export FLINK_CONF_DIR=${FLINK_CONF_DIR:-/etc/flink/conf}
if [ -z "$JAVA_HOME" ]; then
  echo "Error: JAVA_HOME is not set." >&2
  exit 1
fi
# One line: Flink's jars and those of the cluster's Hadoop.
read -r jars < "${HOWDAH_FLINK_CLASSPATH:?is not set: this is no node of a cluster}"
CLASSPATH=$jars:$HADOOP_CONF_DIR${HADOOP_CLASSPATH:+:$HADOOP_CLASSPATH}

# setting NAME: of flink-conf.yaml, the last line wins.
setting() {
  sed -n "s/^${1//./\\.}: *//p" "$FLINK_CONF_DIR/flink-conf.yaml" | tail -n 1
}

# Containers have what YARN gives to every node; what a user has put into plugins of this one goes with each job.
[ -n "$(ls -A "$FLINK_HOME/plugins")" ] && export FLINK_PLUGINS_DIR=$FLINK_HOME/plugins
export FLINK_OPT_DIR=$FLINK_HOME/opt

# run_class NAME LOG4J CLASS ARGS…: becomes the JVM. LOG4J is a file of FLINK_CONF_DIR, NAME is in the log's name.
run_class() {
  local name=$1 log4j=$2
  shift 2
  export CLASSPATH
  local log=${FLINK_LOG_DIR:-/tmp}/flink-${HADOOP_USER_NAME:-$USER}-$name-$(hostname).log
  local archive=(${HOWDAH_FLINK_ARCHIVE:+"-XX:SharedArchiveFile=$HOWDAH_FLINK_ARCHIVE" -Xlog:cds=off -Xlog:cds+dynamic=off})
  # shellcheck disable=SC2046,SC2086 – options are words.
  exec "$JAVA_HOME/bin/java" -XX:TieredStopAtLevel=1 -Xshare:auto "${archive[@]}" $(setting env.java.opts.all) $(setting env.java.opts.client) $JVM_ARGS \
    "-Dlog.file=$log" "-Dlog4j.configurationFile=file:$FLINK_CONF_DIR/$log4j" "$@"
}
