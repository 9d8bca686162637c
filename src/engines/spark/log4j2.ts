/** log4j 2 configuration of Spark: everything on stderr, as on EMR. */
import { type Properties, propertiesFile } from "../settings.ts";

const defaults: Properties = {
  "rootLogger.level": "info",
  "rootLogger.appenderRef.console.ref": "console",
  "appender.console.type": "Console",
  "appender.console.name": "console",
  "appender.console.target": "SYSTEM_ERR",
  "appender.console.layout.type": "PatternLayout",
  "appender.console.layout.pattern": "%d{yy/MM/dd HH:mm:ss} %p %c{1}: %m%n%ex",
  "logger.repl.name": "org.apache.spark.repl.Main",
  "logger.repl.level": "warn",
  "logger.native.name": "org.apache.hadoop.util.NativeCodeLoader",
  "logger.native.level": "error",
  "logger.parquet.name": "org.apache.parquet.CorruptStatistics",
  "logger.parquet.level": "error",
  "logger.hiveconf.name": "org.apache.hadoop.hive.conf.HiveConf",
  "logger.hiveconf.level": "error",
  "logger.session.name": "org.apache.hadoop.hive.ql.session.SessionState",
  "logger.session.level": "error",
  "logger.metastore.name": "org.apache.hadoop.hive.metastore",
  "logger.metastore.level": "error",
  "logger.datanucleus.name": "DataNucleus",
  "logger.datanucleus.level": "error",
};

/** log4j2.properties with the classification spark-log4j2 over it. */
export const log4j2Properties = (own: Properties): string => propertiesFile({ ...defaults, ...own });
