/** The history servers of an ended cluster: over what was saved of it, on a port of 127.0.0.1 each, outside any node. */
import { join } from "node:path";
import { log4jProperties } from "../hadoop/log4j.ts";
import { s3Properties } from "../hadoop/s3.ts";
import type { Installation } from "../installation.ts";
import { daemonArgv } from "../jvm.ts";
import { type Properties, siteXml } from "../settings.ts";
import { log4j2Properties } from "../spark/log4j2.ts";

export const historyHost = "127.0.0.1";

export interface HistoryServer {
  name: "Spark history" | "MapReduce history";
  /** For people. */
  url: string;
  /** Answers 200 once the server does. */
  api: string;
  argv: string[];
  env: Record<string, string>;
  folder: string;
  /** By their names in `folder`. */
  files: Record<string, string>;
}

interface Common {
  installation: Installation;
  /** The server's own, for configuration and what a JVM unpacks; removed behind it. */
  folder: string;
  port: number;
}

/** `logs`: file:///… or s3://…; `s3` is how to reach the latter. */
export function sparkHistoryServer({
  installation,
  folder,
  port,
  logs,
  s3,
}: Common & { logs: string; s3: S3Access | undefined }): HistoryServer {
  const options: Properties = {
    "spark.history.fs.logDirectory": logs,
    "spark.history.ui.port": String(port),
    // Nothing comes any more: one look is enough, and nothing is cleaned away.
    "spark.history.fs.update.interval": "1d",
    "spark.history.fs.cleaner.enabled": "false",
  };
  return {
    name: "Spark history",
    url: `http://${historyHost}:${port}/`,
    api: `http://${historyHost}:${port}/api/v1/applications`,
    argv: daemonArgv(
      { installation, layout: { tmp: folder } },
      {
        mainClass: "org.apache.spark.deploy.history.HistoryServer",
        jars: installation.spark.classPath,
        folders: [folder],
        archive: installation.spark.archive,
        heapMb: 1024,
        options: Object.entries(options).map(([name, value]) => `-D${name}=${value}`),
      },
    ),
    env: { SPARK_LOCAL_IP: historyHost, ...s3?.env },
    folder,
    files: { "core-site.xml": siteXml(s3 ? s3Properties({ cluster: s3 }) : {}), "log4j2.properties": log4j2Properties({}) },
  };
}

/** Of a Howdah that runs. */
export interface S3Access {
  endpoint: string;
  region: string;
  /** With the keys. */
  env: Record<string, string>;
}

/** `done`: the folder that save.ts has filled. It takes three ports: `port` and two more that nobody needs to know. */
export function jobHistoryServer({
  installation,
  folder,
  port,
  done,
  otherPorts: [rpc, admin],
}: Common & { done: string; otherPorts: [number, number] }): HistoryServer {
  const site: Properties = {
    "fs.defaultFS": "file:///",
    "hadoop.tmp.dir": folder,
    "mapreduce.jobhistory.done-dir": `file://${done}`,
    "mapreduce.jobhistory.intermediate-done-dir": `file://${join(folder, "intermediate")}`,
    "mapreduce.jobhistory.webapp.address": `${historyHost}:${port}`,
    "mapreduce.jobhistory.address": `${historyHost}:${rpc}`,
    "mapreduce.jobhistory.admin.address": `${historyHost}:${admin}`,
    // It would remove jobs that ended more than a week ago.
    "mapreduce.jobhistory.cleaner.enable": "false",
    "yarn.log-aggregation-enable": "false",
  };
  return {
    name: "MapReduce history",
    url: `http://${historyHost}:${port}/jobhistory`,
    api: `http://${historyHost}:${port}/ws/v1/history/mapreduce/jobs`,
    argv: daemonArgv(
      { installation, layout: { tmp: folder } },
      {
        mainClass: "org.apache.hadoop.mapreduce.v2.hs.JobHistoryServer",
        jars: installation.hadoop.classPath,
        folders: [folder],
        archive: installation.hadoop.archive,
        heapMb: 512,
      },
    ),
    env: { HADOOP_USER_NAME: "hadoop" },
    folder,
    files: {
      ...Object.fromEntries(["core-site.xml", "mapred-site.xml", "yarn-site.xml"].map((name) => [name, siteXml(site)])),
      "log4j.properties": log4jProperties({}),
    },
  };
}
