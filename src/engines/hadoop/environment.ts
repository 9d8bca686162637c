/** Variables of hadoop-env, hdfs-env, yarn-env and mapred-env that do less here than on EMR. */

/** Their folders are where EMR has them, whatever a variable says: logs are shipped from there. */
const fixed = ["HADOOP_LOG_DIR", "YARN_LOG_DIR", "HADOOP_MAPRED_LOG_DIR", "HADOOP_PID_DIR", "YARN_PID_DIR", "HADOOP_MAPRED_PID_DIR"];

export function environmentWarning(variable: string, value: string): string | undefined {
  if (variable === "JAVA_HOME")
    return `JAVA_HOME=${value} counts for commands and jobs, and only where ${value}/bin/java is on the node; daemons run on Howdah's JDK 17`;
  if (fixed.includes(variable)) return `${variable} has no effect on the daemons: their logs and records have fixed places`;
  if (/^YARN_(PROXYSERVER|TIMELINESERVER)_/.test(variable)) return `${variable} has no effect: that daemon is not on Howdah's clusters`;
  return undefined;
}
