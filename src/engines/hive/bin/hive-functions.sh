# Read by hive, beeline and hcat: where things are, and how a command's JVM is started.
# Honoured: HIVE_CONF_DIR, hive-env.sh, HADOOP_CLASSPATH, HADOOP_HEAPSIZE, HIVE_CLIENT_HEAPSIZE, HADOOP_OPTS, HADOOP_CLIENT_OPTS, HIVE_OPTS.

HIVE_HOME=$(dirname "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")")
export HIVE_HOME
export HIVE_CONF_DIR=${HIVE_CONF_DIR:-/etc/hive/conf}
# shellcheck disable=SC1091
[ -f "$HIVE_CONF_DIR/hive-env.sh" ] && . "$HIVE_CONF_DIR/hive-env.sh"
if [ -z "$JAVA_HOME" ]; then
  echo "Error: JAVA_HOME is not set." >&2
  exit 1
fi
# One line: Hive's jars, Tez's and those of the cluster's Hadoop.
read -r jars < "${HOWDAH_HIVE_CLASSPATH:?is not set: this is no node of a cluster}"
CLASSPATH=$jars:$HIVE_CONF_DIR:$TEZ_CONF_DIR:$HADOOP_CONF_DIR${HADOOP_CLASSPATH:+:$HADOOP_CLASSPATH}

# run_class LOG4J2 CLASS ARGS…: becomes the JVM. LOG4J2 is a file of HIVE_CONF_DIR.
run_class() {
  local log4j2=$1
  shift
  export CLASSPATH
  local heap=${HIVE_CLIENT_HEAPSIZE:-${HADOOP_HEAPSIZE:-1000}}
  [[ $heap =~ ^[0-9]+$ ]] && heap=${heap}m
  local user=${HADOOP_USER_NAME:-hadoop} opens=() package
  for package in lang lang.reflect io math net nio text time util util.concurrent util.concurrent.atomic util.regex util.zip; do
    opens+=("--add-opens=java.base/java.$package=ALL-UNNAMED")
  done
  # By a property: Hive takes the variable for a user to stand in for.
  unset HADOOP_USER_NAME
  local archive=(${HOWDAH_HIVE_ARCHIVE:+"-XX:SharedArchiveFile=$HOWDAH_HIVE_ARCHIVE" -Xlog:cds=off -Xlog:cds+dynamic=off})
  # shellcheck disable=SC2086 – options are words.
  exec "$JAVA_HOME/bin/java" "${archive[@]}" -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Xshare:auto "-Xmx$heap" -Djava.net.preferIPv4Stack=true \
    "${opens[@]}" --add-opens=java.base/sun.nio.ch=ALL-UNNAMED --add-opens=java.sql/java.sql=ALL-UNNAMED \
    "-DHADOOP_USER_NAME=$user" "-Dhive.log.dir=${HOWDAH_HIVE_LOGS:-/tmp}/$user" -Dhive.log.file=hive.log \
    "-Dlog4j2.configurationFile=$HIVE_CONF_DIR/$log4j2" "-Djava.util.logging.config.file=$HIVE_CONF_DIR/parquet-logging.properties" \
    $HADOOP_OPTS $HADOOP_CLIENT_OPTS howdah.hive.Launcher "$@"
}
