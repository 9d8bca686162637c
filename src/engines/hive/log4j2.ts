/** log4j 2 configuration of Hive, in the names of Hive's own files: daemons and the command `hive` write a file each, rolled. */
import { type Properties, propertiesFile } from "../settings.ts";

const pattern = "%d{ISO8601} %-5p [%t] %c{2}: %m%n%ex";

/** hive.log.dir and hive.log.file are system properties of each JVM, and these lines where they are not. */
const defaults: Properties = {
  status: "warn",
  name: "HiveLog4j2",
  "property.hive.log.level": "INFO",
  "property.hive.root.logger": "DRFA",
  "property.hive.log.dir": "${sys:java.io.tmpdir}/${sys:user.name}",
  "property.hive.log.file": "hive.log",
  "property.hive.perflogger.log.level": "INFO",
  "appender.console.type": "Console",
  "appender.console.name": "console",
  "appender.console.target": "SYSTEM_ERR",
  "appender.console.layout.type": "PatternLayout",
  "appender.console.layout.pattern": pattern,
  "appender.DRFA.type": "RollingRandomAccessFile",
  "appender.DRFA.name": "DRFA",
  "appender.DRFA.fileName": "${sys:hive.log.dir}/${sys:hive.log.file}",
  "appender.DRFA.filePattern": "${sys:hive.log.dir}/${sys:hive.log.file}.%i",
  "appender.DRFA.layout.type": "PatternLayout",
  "appender.DRFA.layout.pattern": pattern,
  "appender.DRFA.policies.type": "Policies",
  "appender.DRFA.policies.size.type": "SizeBasedTriggeringPolicy",
  "appender.DRFA.policies.size.size": "64MB",
  "appender.DRFA.strategy.type": "DefaultRolloverStrategy",
  "appender.DRFA.strategy.max": "3",
  // What the metastore says of every connection that ends without a word, as each look at its readiness does.
  "appender.DRFA.filter.probe.type": "RegexFilter",
  "appender.DRFA.filter.probe.regex": ".*leaning up thread local RawStore.*",
  "appender.DRFA.filter.probe.onMatch": "DENY",
  "appender.DRFA.filter.probe.onMismatch": "NEUTRAL",
  "logger.datanucleus.name": "DataNucleus",
  "logger.datanucleus.level": "ERROR",
  "logger.native.name": "org.apache.hadoop.util.NativeCodeLoader",
  "logger.native.level": "ERROR",
  "logger.PerfLogger.name": "org.apache.hadoop.hive.ql.log.PerfLogger",
  "logger.PerfLogger.level": "${sys:hive.perflogger.log.level}",
  "rootLogger.level": "${sys:hive.log.level}",
  "rootLogger.appenderRef.root.ref": "${sys:hive.root.logger}",
};

/** hive-log4j2.properties with the classification hive-log4j2 over it. */
export const log4j2Properties = (own: Properties): string => propertiesFile({ ...defaults, ...own });

/** beeline-log4j2.properties: warnings, on stderr. */
export const beelineLog4j2Properties = (own: Properties): string =>
  propertiesFile({
    status: "warn",
    name: "BeelineLog4j2",
    "property.hive.log.level": "WARN",
    "appender.console.type": "Console",
    "appender.console.name": "console",
    "appender.console.target": "SYSTEM_ERR",
    "appender.console.layout.type": "PatternLayout",
    "appender.console.layout.pattern": pattern,
    "rootLogger.level": "${sys:hive.log.level}",
    "rootLogger.appenderRef.root.ref": "console",
    ...own,
  });
