/** log4j 1 configuration of daemons (a file each, rolled) and commands (stderr), and of MapReduce's containers. */
import { type Properties, propertiesFile } from "../settings.ts";

/** hadoop.root.logger, hadoop.log.dir and hadoop.log.file are system properties of each JVM, which win over what is here. */
const defaults: Properties = {
  "hadoop.root.logger": "INFO,console",
  "hadoop.log.dir": ".",
  "hadoop.log.file": "hadoop.log",
  "log4j.rootLogger": "${hadoop.root.logger}",
  "log4j.appender.console": "org.apache.log4j.ConsoleAppender",
  "log4j.appender.console.target": "System.err",
  "log4j.appender.console.layout": "org.apache.log4j.PatternLayout",
  "log4j.appender.console.layout.ConversionPattern": "%d{ISO8601} %p %c{2}: %m%n",
  "log4j.appender.RFA": "org.apache.log4j.RollingFileAppender",
  "log4j.appender.RFA.File": "${hadoop.log.dir}/${hadoop.log.file}",
  "log4j.appender.RFA.MaxFileSize": "64MB",
  "log4j.appender.RFA.MaxBackupIndex": "3",
  "log4j.appender.RFA.layout": "org.apache.log4j.PatternLayout",
  "log4j.appender.RFA.layout.ConversionPattern": "%d{ISO8601} %p %c (%t): %m%n",
  "log4j.appender.DRFA": "org.apache.log4j.DailyRollingFileAppender",
  "log4j.appender.DRFA.File": "${hadoop.log.dir}/${hadoop.log.file}",
  "log4j.appender.DRFA.DatePattern": ".yyyy-MM-dd-HH",
  "log4j.appender.DRFA.layout": "org.apache.log4j.PatternLayout",
  "log4j.appender.DRFA.layout.ConversionPattern": "%d{ISO8601} %p %c (%t): %m%n",
  "log4j.logger.org.apache.hadoop.util.NativeCodeLoader": "ERROR",
  "log4j.logger.org.apache.hadoop.hdfs.server.blockmanagement.BlockPlacementPolicy": "WARN",
};

/** An appender of YARN's containers; `of` is where its file's name, size and backups are said, by the command line of each container. */
function containerAppender(name: string, rolling: boolean, file: string, of: string): Properties {
  const at = `log4j.appender.${name}`;
  return {
    [at]: `org.apache.hadoop.yarn.Container${rolling ? "Rolling" : ""}LogAppender`,
    [`${at}.containerLogDir`]: "${yarn.app.container.log.dir}",
    [`${at}.containerLogFile`]: file,
    [`${at}.${rolling ? "maximumFileSize" : "totalLogFileSize"}`]: `\${${of}.filesize}`,
    ...(rolling ? { [`${at}.maxBackupIndex`]: `\${${of}.backups}` } : {}),
    [`${at}.layout`]: "org.apache.log4j.PatternLayout",
    [`${at}.layout.ConversionPattern`]: "%d{ISO8601} %p [%t] %c: %m%n",
  };
}

/** What Hadoop's own container-log4j.properties says: the files that YARN's pages and `yarn logs` know. */
const containerDefaults: Properties = {
  "hadoop.root.logger": "INFO,CLA",
  "yarn.app.mapreduce.shuffle.logger": "${hadoop.root.logger}",
  "log4j.rootLogger": "${hadoop.root.logger}",
  "log4j.threshold": "ALL",
  "yarn.app.container.log.dir": "null",
  "yarn.app.container.log.filesize": "100",
  ...containerAppender("CLA", false, "${hadoop.root.logfile}", "yarn.app.container.log"),
  ...containerAppender("CRLA", true, "${hadoop.root.logfile}", "yarn.app.container.log"),
  ...containerAppender("shuffleCLA", false, "${yarn.app.mapreduce.shuffle.logfile}", "yarn.app.mapreduce.shuffle.log"),
  ...containerAppender("shuffleCRLA", true, "${yarn.app.mapreduce.shuffle.logfile}", "yarn.app.mapreduce.shuffle.log"),
  "log4j.logger.org.apache.hadoop.mapreduce.task.reduce": "${yarn.app.mapreduce.shuffle.logger}",
  "log4j.additivity.org.apache.hadoop.mapreduce.task.reduce": "false",
  "log4j.logger.org.apache.hadoop.mapred.Merger": "${yarn.app.mapreduce.shuffle.logger}",
  "log4j.additivity.org.apache.hadoop.mapred.Merger": "false",
};

/** log4j.properties with the classification hadoop-log4j over it. */
export const log4jProperties = (own: Properties): string => propertiesFile({ ...defaults, ...own });

/** container-log4j.properties with the classification of that name over it. */
export const containerLog4jProperties = (own: Properties): string => propertiesFile({ ...containerDefaults, ...own });

/** These come from the command line of every JVM: the file's have no effect, on EMR neither. */
export function log4jWarning(property: string): string | undefined {
  if (!["hadoop.root.logger", "hadoop.log.dir", "hadoop.log.file"].includes(property)) return undefined;
  return `${property} has no effect, because each JVM's command line says it: set HADOOP_DAEMON_ROOT_LOGGER (daemons) or HADOOP_ROOT_LOGGER (commands) in hadoop-env`;
}
