/** Variables of hbase-env that do less here than on EMR. */
const fixed = ["HBASE_LOG_DIR", "HBASE_PID_DIR", "HBASE_IDENT_STRING", "HBASE_MANAGES_ZK", "HBASE_CONF_DIR", "HBASE_HOME"];

export function environmentWarning(variable: string, value: string): string | undefined {
  if (variable === "JAVA_HOME")
    return `JAVA_HOME=${value} counts for commands, and only where ${value}/bin/java is on the node; daemons run on Howdah's JDK 17`;
  // The usual way to say that ZooKeeper is a service of its own, which it is.
  if (variable === "HBASE_MANAGES_ZK" && value === "false") return undefined;
  return fixed.includes(variable) ? `${variable} has no effect: logs, records and ZooKeeper have fixed places` : undefined;
}
