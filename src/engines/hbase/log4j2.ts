/** log4j 2 configuration of HBase: daemons write a file each, rolled, commands to stderr. */
import { type Properties, propertiesFile } from "../settings.ts";

/** hbase.root.logger, hbase.log.dir and hbase.log.file are system properties of each JVM. */
const defaults: Properties = {
  status: "warn",
  "appender.console.type": "Console",
  "appender.console.name": "console",
  "appender.console.target": "SYSTEM_ERR",
  "appender.console.layout.type": "PatternLayout",
  "appender.console.layout.pattern": "%d{ISO8601} %-5p [%t] %c{2}: %m%n%ex",
  "appender.RFA.type": "RollingFile",
  "appender.RFA.name": "RFA",
  "appender.RFA.createOnDemand": "true",
  "appender.RFA.fileName": "${sys:hbase.log.dir:-.}/${sys:hbase.log.file:-hbase.log}",
  "appender.RFA.filePattern": "${sys:hbase.log.dir:-.}/${sys:hbase.log.file:-hbase.log}.%i",
  "appender.RFA.layout.type": "PatternLayout",
  "appender.RFA.layout.pattern": "%d{ISO8601} %-5p [%t] %c{2}: %m%n%ex",
  "appender.RFA.policies.type": "Policies",
  "appender.RFA.policies.size.type": "SizeBasedTriggeringPolicy",
  "appender.RFA.policies.size.size": "64MB",
  "appender.RFA.strategy.type": "DefaultRolloverStrategy",
  "appender.RFA.strategy.max": "3",
  rootLogger: "${sys:hbase.root.logger:-INFO,console}",
  "logger.native.name": "org.apache.hadoop.util.NativeCodeLoader",
  "logger.native.level": "error",
  // Each look at its readiness.
  "logger.requests.name": "http.requests",
  "logger.requests.level": "warn",
  "logger.metrics.name": "org.apache.hadoop.metrics2",
  "logger.metrics.level": "warn",
};

/** log4j2.properties with the classification hbase-log4j over it. */
export const log4j2Properties = (own: Properties): string => propertiesFile({ ...defaults, ...own });

export function log4j2Warning(property: string): string | undefined {
  if (!/^(log4j\.|hbase\.(root\.logger|log\.|security\.))/.test(property)) return undefined;
  return `${property} has no effect: HBase 2.6 logs by log4j 2, whose names are logger.X.name and logger.X.level`;
}
