/**
 * Makes the Maven locks of src/releases/locks: resolves the roots below with the user's Maven and writes the exact coordinates,
 * checksum and size of every jar, transitives included.
 *
 * Usage: node tools/lock-maven.ts [NAME …]    (all, where no name is given)
 */
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { copyDependencies, jarName, type PomDependency } from "../src/setup/maven.ts";
import type { MavenEntry } from "../src/releases/release.ts";

const hadoopVersion = "3.4.2";
const sdkVersion = "2.29.52";
const everything = "*:*";

const hadoop = (artifact: string, exclude: string[] = []): PomDependency => ({
  group: "org.apache.hadoop",
  artifact,
  version: hadoopVersion,
  exclude,
});
/** The parts of the AWS SDK that S3A calls; the `bundle` that hadoop-aws asks for has 641 MB. */
const sdk = (exclude: string[]): PomDependency[] =>
  ["s3", "s3-transfer-manager", "sts", "apache-client", "netty-nio-client"].map((artifact) => ({
    group: "software.amazon.awssdk",
    artifact,
    version: sdkVersion,
    exclude,
  }));

/** What PySpark's distribution lacks: the Hadoop client of the release, S3A and its committers. */
const spark = (cloud: string, version: string): PomDependency[] => [
  { group: "org.apache.spark", artifact: cloud, version, exclude: [everything] },
  hadoop("hadoop-client-api", [everything]),
  hadoop("hadoop-client-runtime", [everything]),
  hadoop("hadoop-aws", [everything]),
  { group: "org.wildfly.openssl", artifact: "wildfly-openssl", version: "2.1.4.Final", exclude: [everything] },
  { group: "software.amazon.s3.analyticsaccelerator", artifact: "analyticsaccelerator-s3", version: "1.2.1", exclude: [everything] },
  // Spark has its own Netty, logging and Apache HTTP client.
  ...sdk(["io.netty:*", "org.slf4j:*", "org.apache.httpcomponents:*", "commons-codec:*", "commons-logging:*"]),
];

/** What Hadoop brings is Hadoop's, in the cluster's versions; HBase logs by log4j 2. */
const hbase = (artifact: string, version: string): PomDependency => ({
  group: "org.apache.hbase",
  artifact,
  version,
  exclude: ["org.apache.hadoop", "org.apache.zookeeper", "io.netty", "org.apache.httpcomponents", "org.xerial.snappy", "org.slf4j"]
    .map((group) => `${group}:*`)
    .concat("ch.qos.reload4j:*"),
});

/** Each by its name alone: what its pom asks for is of Hadoop 2 and Java 8. */
const alone = (group: string, version: string, ...artifacts: string[]): PomDependency[] =>
  artifacts.map((artifact) => ({ group, artifact, version, exclude: [everything] }));

/** Of Flink's processes: what its `flink-dist`, which Maven Central lacks, is made of. Hadoop's jars are the cluster's, behind them. */
const flink = (...artifacts: string[]): PomDependency[] =>
  artifacts.map((artifact) => ({
    group: "org.apache.flink",
    artifact,
    version: "1.20.0",
    exclude: ["org.apache.hadoop:*", "org.slf4j:*", "com.google.code.findbugs:*"],
  }));

const locks: Record<string, PomDependency[]> = {
  "hadoop-3.4.2": [
    ...[
      "hadoop-common",
      "hadoop-hdfs",
      "hadoop-hdfs-client",
      "hadoop-yarn-server-resourcemanager",
      "hadoop-yarn-server-nodemanager",
      "hadoop-yarn-client",
      "hadoop-yarn-server-applicationhistoryservice",
      "hadoop-yarn-server-timeline-pluginstorage",
      // Not a dependency of the ResourceManager's artifact, but it does not start without it.
      "hadoop-yarn-server-timelineservice",
      "hadoop-yarn-applications-distributedshell",
      "hadoop-mapreduce-client-jobclient",
      "hadoop-mapreduce-client-shuffle",
      "hadoop-mapreduce-client-hs",
      "hadoop-mapreduce-client-app",
      "hadoop-mapreduce-examples",
      "hadoop-streaming",
      "hadoop-distcp",
    ].map((artifact) => hadoop(artifact)),
    hadoop("hadoop-aws", ["software.amazon.awssdk:bundle"]),
    { ...hadoop("hadoop-hdfs", [everything]), classifier: "tests" },
    ...sdk([]),
  ],
  // 3.5.6 of this artifact is not on every mirror; its committer classes did not change between the two.
  "spark-3.5.6": spark("spark-hadoop-cloud_2.12", "3.5.5"),
  "spark-4.0.2": spark("spark-hadoop-cloud_2.13", "4.0.2"),
  "zookeeper-3.9.3": [
    { group: "org.apache.zookeeper", artifact: "zookeeper", version: "3.9.3", exclude: [] },
    // Its server needs them, though its own pom does not say so.
    { group: "org.xerial.snappy", artifact: "snappy-java", version: "1.1.10.5", exclude: [everything] },
    { group: "io.dropwizard.metrics", artifact: "metrics-core", version: "4.1.12.1", exclude: [everything] },
    { group: "ch.qos.logback", artifact: "logback-classic", version: "1.2.13", exclude: ["org.slf4j:*"] },
    // Of its shell.
    { group: "commons-cli", artifact: "commons-cli", version: "1.5.0", exclude: [everything] },
  ],
  // Behind Hadoop's class path, which has the rest of what they need.
  "tez-0.10.2": [
    ...[
      "tez-api",
      "tez-common",
      "tez-dag",
      "tez-runtime-internals",
      "tez-runtime-library",
      "tez-mapreduce",
      "tez-examples",
      "hadoop-shim",
    ].map((artifact) => ({ group: "org.apache.tez", artifact, version: "0.10.2", exclude: [everything] })),
    { group: "com.google.protobuf", artifact: "protobuf-java", version: "2.5.0", exclude: [everything] },
    { group: "org.roaringbitmap", artifact: "RoaringBitmap", version: "0.7.45", exclude: [] },
    // Of tasks that fetch by `tez.runtime.shuffle.use.async.http`.
    {
      group: "org.asynchttpclient",
      artifact: "async-http-client",
      version: "2.12.3",
      exclude: ["io.netty:*", "org.slf4j:*", "org.reactivestreams:*"],
    },
  ],
  "hbase-2.6.4": [
    hbase("hbase-server", "2.6.4-hadoop3"),
    hbase("hbase-zookeeper", "2.6.4-hadoop3"),
    { ...hbase("hbase-server", "2.6.4-hadoop3"), exclude: [everything], classifier: "tests" },
    // Maven Central has this one for Hadoop 2 only; test/integration/hbase.test.ts runs its jobs.
    hbase("hbase-mapreduce", "2.6.4"),
    // The newest of 2.6 that Maven Central has, and of the shell the newest of all.
    hbase("hbase-rest", "2.6.1"),
    hbase("hbase-thrift", "2.6.1"),
    hbase("hbase-rsgroup", "2.6.1-hadoop3"),
    hbase("hbase-shell", "2.4.17"),
    { group: "org.jruby", artifact: "jruby-complete", version: "9.3.13.0", exclude: [everything] },
    ...["log4j-api", "log4j-core", "log4j-slf4j-impl", "log4j-1.2-api"].map((artifact) => ({
      group: "org.apache.logging.log4j",
      artifact,
      version: "2.17.2",
      exclude: ["org.slf4j:*"],
    })),
  ],
  // Before Tez's and Hadoop's class paths, which have the rest of what they need. hive-exec holds Hive's other libraries (metastore, serde,
  // shims, ORC, Parquet, Avro, Thrift).
  "hive-3.1.3": [
    ...alone(
      "org.apache.hive",
      "3.1.3",
      "hive-exec",
      "hive-service",
      "hive-cli",
      "hive-beeline",
      "hive-jdbc",
      "hive-contrib",
      "hive-llap-tez",
    ),
    ...alone("org.apache.hive.hcatalog", "3.1.3", "hive-hcatalog-core", "hive-hcatalog-server-extensions"),
    ...alone("org.apache.hive.hcatalog", "3.1.3", "hive-webhcat-java-client", "hive-hcatalog-streaming"),
    // The schemas of the metastore's databases.
    {
      group: "org.apache.hive",
      artifact: "hive-standalone-metastore",
      version: "3.1.3",
      type: "tar.gz",
      classifier: "bin",
      exclude: [everything],
    },
    // Set-up changes a class with it.
    ...alone("org.ow2.asm", "9.7.1", "asm"),
    ...alone("org.datanucleus", "4.1.17", "datanucleus-core"),
    ...alone("org.datanucleus", "4.1.19", "datanucleus-rdbms"),
    ...alone("org.datanucleus", "4.2.4", "datanucleus-api-jdo"),
    ...alone("org.datanucleus", "3.2.0-m3", "javax.jdo"),
    ...alone("javax.transaction", "1.1", "transaction-api"),
    // Its network server and its client: an account's metastore, and those of the clusters that use it.
    ...alone("org.apache.derby", "10.14.2.0", "derby", "derbynet", "derbyclient"),
    ...alone("org.postgresql", "42.7.4", "postgresql"),
    // EMR's driver for MySQL and Aurora.
    ...alone("org.mariadb.jdbc", "2.7.2", "mariadb-java-client"),
    ...alone("org.antlr", "3.5.2", "antlr-runtime"),
    ...alone("org.antlr", "4.0.4", "ST4"),
    ...alone("org.apache.calcite", "1.16.0", "calcite-core", "calcite-linq4j", "calcite-druid"),
    ...alone("org.apache.calcite.avatica", "1.11.0", "avatica"),
    ...alone("org.codehaus.janino", "2.7.6", "janino", "commons-compiler"),
    ...alone("com.esri.geometry", "2.0.0", "esri-geometry-api"),
    ...alone("it.unimi.dsi", "6.5.6", "fastutil"),
    ...alone("org.apache.thrift", "0.9.3", "libfb303"),
    ...alone("commons-collections", "3.2.2", "commons-collections"),
    ...alone("commons-dbcp", "1.4", "commons-dbcp"),
    ...alone("commons-pool", "1.5.4", "commons-pool"),
    ...alone("net.sf.supercsv", "2.2.0", "super-csv"),
    ...alone("jline", "2.12", "jline"),
    ...alone("sqlline", "1.3.0", "sqlline"),
    ...alone("io.dropwizard.metrics", "3.2.4", "metrics-json", "metrics-jvm"),
    ...alone("com.github.joshelser", "0.1.2", "dropwizard-metrics-hadoop-metrics2-reporter"),
    ...alone("org.jamon", "2.3.1", "jamon-runtime"),
    ...alone("org.eclipse.jetty", "9.4.57.v20241219", "jetty-rewrite"),
    ...alone("org.mortbay.jasper", "8.5.100", "apache-jsp", "apache-el"),
    ...alone("javax.servlet.jsp", "2.3.1", "javax.servlet.jsp-api"),
    ...alone("org.apache.logging.log4j", "2.17.2", "log4j-api", "log4j-core", "log4j-slf4j-impl", "log4j-1.2-api"),
  ],
  // Exactly as Trino is published: its own poms, asked for one by one, resolve to other versions.
  "trino-476": [
    { group: "io.trino", artifact: "trino-server", version: "476", type: "tar.gz", exclude: [everything] },
    { group: "io.trino", artifact: "trino-cli", version: "476", classifier: "executable", exclude: [everything] },
  ],
  "flink-1.20.0": [
    ...flink("flink-yarn", "flink-clients", "flink-runtime-web", "flink-streaming-java", "flink-hadoop-fs", "flink-metrics-jmx"),
    ...flink("flink-statebackend-rocksdb", "flink-statebackend-changelog", "flink-dstl-dfs", "flink-queryable-state-client-java"),
    ...flink("flink-connector-datagen"),
    // Each of these has all of its own in itself.
    ...alone("org.apache.flink", "1.20.0", "flink-connector-files", "flink-csv", "flink-json", "flink-cep"),
    ...alone("org.apache.flink", "1.20.0", "flink-table-api-java-uber", "flink-table-planner-loader", "flink-table-runtime"),
    ...alone("org.apache.flink", "1.20.0", "flink-sql-client", "flink-sql-gateway", "flink-sql-gateway-api", "flink-python"),
    // Set-up takes a part of it.
    ...alone("org.apache.flink", "1.20.0", "flink-s3-fs-hadoop"),
    ...["WordCount", "TopSpeedWindowing", "Iteration", "SessionWindowing", "SocketWindowWordCount", "WindowJoin"].map((classifier) => ({
      group: "org.apache.flink",
      artifact: "flink-examples-streaming",
      version: "1.20.0",
      classifier,
      exclude: [everything],
    })),
    ...alone("org.apache.logging.log4j", "2.17.2", "log4j-api", "log4j-core", "log4j-slf4j-impl", "log4j-1.2-api"),
  ],
  "s3proxy-4.1.0": [
    { group: "org.gaul", artifact: "s3proxy", version: "4.1.0", classifier: "jar-with-dependencies", exclude: [everything] },
  ],
};

/** Every jar and archive below a folder that has a repository's layout. */
function entries(folder: string): MavenEntry[] {
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((path) => /\.(jar|tar\.gz)$/.test(path));
  return files.map((path) => {
    const version = basename(dirname(path));
    const artifact = basename(dirname(dirname(path)));
    const group = dirname(dirname(dirname(path)))
      .split("/")
      .join(".");
    const type = path.endsWith(".jar") ? "jar" : "tar.gz";
    const classifier = basename(path, `.${type}`).slice(`${artifact}-${version}-`.length);
    const sha256 = createHash("sha256")
      .update(readFileSync(join(folder, path)))
      .digest("hex");
    return {
      group,
      artifact,
      version,
      ...(classifier ? { classifier } : {}),
      ...(type === "jar" ? {} : { type }),
      sha256,
      size: statSync(join(folder, path)).size,
    };
  });
}

const asked = process.argv.slice(2);
const unknown = asked.find((name) => !locks[name]);
if (unknown) throw new Error(`${unknown} is none of ${Object.keys(locks).join(", ")}`);
for (const [name, roots] of Object.entries(locks)) {
  if (asked.length > 0 && !asked.includes(name)) continue;
  const folder = mkdtempSync(join(tmpdir(), "howdah-lock-"));
  try {
    await copyDependencies(roots, folder);
    const found = entries(folder).toSorted((a, b) => (jarName(a) < jarName(b) ? -1 : 1));
    if (new Set(found.map(jarName)).size !== found.length) throw new Error(`${name}: two jars have the same file name`);
    const target = join(import.meta.dirname, "..", "src", "releases", "locks", `${name}.json`);
    writeFileSync(target, `[\n${found.map((entry) => JSON.stringify(entry)).join(",\n")}\n]\n`);
    console.log(`${name}: ${found.length} jars, ${Math.round(found.reduce((sum, e) => sum + e.size, 0) / 1e6)} MB`);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
