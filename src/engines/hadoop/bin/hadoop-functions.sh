# Read by hadoop, hdfs, yarn and mapred: where things are, and how a command's JVM is started.
# Honoured: HADOOP_CONF_DIR, hadoop-env.sh and after it the command's own (hdfs-env.sh, …), HADOOP_CLASSPATH, HADOOP_USER_CLASSPATH_FIRST,
# HADOOP_HEAPSIZE_MAX, HADOOP_OPTS, HADOOP_CLIENT_OPTS, HADOOP_ROOT_LOGGER, HADOOP_LOG_DIR. Options of every command: --config DIR,
# --loglevel LEVEL, --debug.

HADOOP_HOME=$(dirname "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")")
export HADOOP_HOME

while [ $# -gt 0 ]; do
  case $1 in
    --config) HADOOP_CONF_DIR=$2; shift 2 ;;
    --loglevel) loglevel=$2; shift 2 ;;
    --debug) set -x; shift ;;
    *) break ;;
  esac
done

export HADOOP_CONF_DIR=${HADOOP_CONF_DIR:-/etc/hadoop/conf}
for env_file in hadoop-env.sh "${0##*/}-env.sh"; do
  [ -f "$HADOOP_CONF_DIR/$env_file" ] && . "$HADOOP_CONF_DIR/$env_file"
done
if [ -z "$JAVA_HOME" ]; then
  echo "Error: JAVA_HOME is not set." >&2
  exit 1
fi

# One line: the jars that the class archive was made with, in its order. Nothing may come before them, or the JVM does without it.
read -r hadoop_jars < "$HADOOP_HOME/classpath"
if [ -n "$HADOOP_USER_CLASSPATH_FIRST" ] && [ -n "$HADOOP_CLASSPATH" ]; then
  CLASSPATH=$HADOOP_CLASSPATH:$hadoop_jars:$HADOOP_CONF_DIR
else
  CLASSPATH=$hadoop_jars:$HADOOP_CONF_DIR${HADOOP_CLASSPATH:+:$HADOOP_CLASSPATH}
fi

# run_class CLASS ARGS…: becomes the JVM.
run_class() {
  export CLASSPATH
  local archive=()
  if [ -n "$HOWDAH_HADOOP_ARCHIVE" ]; then
    archive=("-XX:SharedArchiveFile=$HOWDAH_HADOOP_ARCHIVE" -Xlog:cds=off -Xlog:cds+dynamic=off)
  fi
  local logger=${HADOOP_ROOT_LOGGER:-INFO,console}
  [ -n "$loglevel" ] && logger=$loglevel,console
  local heap=${HADOOP_HEAPSIZE_MAX:-${HADOOP_HEAPSIZE:-1000}}
  [[ $heap =~ ^[0-9]+$ ]] && heap=${heap}m
  # shellcheck disable=SC2086 – options are words.
  exec "$JAVA_HOME/bin/java" -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Xshare:auto "${archive[@]}" "-Xmx$heap" \
    -Djava.net.preferIPv4Stack=true "-Dhadoop.log.dir=${HADOOP_LOG_DIR:-/tmp}" -Dhadoop.log.file=hadoop.log "-Dhadoop.home.dir=$HADOOP_HOME" \
    "-Dhadoop.id.str=${HADOOP_USER_NAME:-$USER}" "-Dhadoop.root.logger=$logger" \
    $HADOOP_OPTS $HADOOP_CLIENT_OPTS "$@"
}

# run_other COMMAND ARGS…: a class named in full, as the original launchers allow, or "unknown command".
run_other() {
  case $1 in
    *.*) run_class "$@" ;;
    *) echo "ERROR: $1 is not COMMAND nor fully qualified CLASSNAME." >&2; usage >&2; exit 1 ;;
  esac
}
