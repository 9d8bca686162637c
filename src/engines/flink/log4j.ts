/** log4j 2 configurations of Flink's JVMs. Which file one logs to is its system property `log.file`. */
import { type Properties, propertiesFile } from "../settings.ts";

const pattern = "%d{yyyy-MM-dd HH:mm:ss,SSS} %-5p %-60c %x - %m%n";

/** Of what a Flink process says that is none of a user's business, and what is said on every start. */
const quiet: Properties = {
  "logger.hadoop.name": "org.apache.hadoop",
  "logger.hadoop.level": "WARN",
  "logger.native.name": "org.apache.hadoop.util.NativeCodeLoader",
  "logger.native.level": "OFF",
  "logger.netty.name": "org.jboss.netty.channel.DefaultChannelPipeline",
  "logger.netty.level": "OFF",
};

const file: Properties = {
  "appender.main.name": "MainAppender",
  "appender.main.type": "RollingFile",
  "appender.main.append": "true",
  "appender.main.fileName": "${sys:log.file}",
  "appender.main.filePattern": "${sys:log.file}.%i",
  "appender.main.layout.type": "PatternLayout",
  "appender.main.layout.pattern": pattern,
  "appender.main.policies.type": "Policies",
  "appender.main.policies.size.type": "SizeBasedTriggeringPolicy",
  "appender.main.policies.size.size": "100MB",
  "appender.main.strategy.type": "DefaultRolloverStrategy",
  "appender.main.strategy.max": "10",
};

const console: Properties = {
  "appender.console.name": "ConsoleAppender",
  "appender.console.type": "Console",
  "appender.console.layout.type": "PatternLayout",
  "appender.console.layout.pattern": pattern,
};

/** log4j.properties: containers and the history server. */
export const log4jProperties = (own: Properties): string =>
  propertiesFile({
    monitorInterval: "30",
    "rootLogger.level": "INFO",
    "rootLogger.appenderRef.file.ref": "MainAppender",
    ...file,
    ...quiet,
    ...own,
  });

/** log4j-cli.properties: commands log to a file, and say of YARN what a user waits for. */
export const cliLog4jProperties = (own: Properties): string =>
  propertiesFile({
    "rootLogger.level": "INFO",
    "rootLogger.appenderRef.file.ref": "MainAppender",
    "logger.yarn.name": "org.apache.flink.yarn",
    "logger.yarn.level": "INFO",
    "logger.yarn.appenderRef.console.ref": "ConsoleAppender",
    ...file,
    ...console,
    ...quiet,
    "logger.hadoop.level": "INFO",
    ...own,
  });

/** log4j-session.properties: flink-yarn-session. */
export const sessionLog4jProperties = (own: Properties): string =>
  propertiesFile({ "rootLogger.level": "INFO", "rootLogger.appenderRef.console.ref": "ConsoleAppender", ...console, ...quiet, ...own });

export function log4jWarning(property: string): string | undefined {
  if (!property.startsWith("log4j.")) return undefined;
  return `${property} has no effect: Flink 1.20 logs by log4j 2, whose names are rootLogger.level, logger.X.name and logger.X.level`;
}
