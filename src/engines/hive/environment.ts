/** Variables of hive-env and hcatalog-env that do less here than on EMR. */
const fixed = [
  "HIVE_HOME",
  "HIVE_CONF_DIR",
  "HADOOP_HOME",
  "HCAT_LOG_DIR",
  "HCAT_PID_DIR",
  "HCAT_CONF_DIR",
  "HIVE_LOG_DIR",
  "METASTORE_PORT",
];

export function environmentWarning(variable: string, value: string): string | undefined {
  if (variable === "JAVA_HOME")
    return `JAVA_HOME=${value} counts for commands, and only where ${value}/bin/java is on the node; daemons run on Howdah's JDK 17`;
  return fixed.includes(variable) ? `${variable} has no effect: Hive's files and logs have fixed places` : undefined;
}
