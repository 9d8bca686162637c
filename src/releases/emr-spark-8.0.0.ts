/** emr-spark-8.0.0, which has Spark alone: https://docs.aws.amazon.com/emr/latest/ReleaseGuide/emr-spark800-release.html. It runs on the Hadoop of emr-7.13.0. */
import { release as emr7130 } from "./emr-7.13.0.ts";
import spark from "./locks/spark-4.0.2.json" with { type: "json" };
import type { MavenEntry, Release } from "./release.ts";

export const release: Release = {
  label: "emr-spark-8.0.0",
  engines: {},
  hadoop: emr7130.hadoop,
  spark: {
    version: "4.0.2",
    distribution: {
      requirement: "pyspark==4.0.2",
      file: "pyspark-4.0.2.tar.gz",
      sha256: "938b4a1883383374d331ebfcb5d92debfa1891cf3d7a6d730520a1a2d23f1a90",
      size: 434209940,
    },
    jars: spark as MavenEntry[],
    // It is built with Hadoop 3.4.1.
    replaces: ["hadoop-client-api-3.4.1.jar", "hadoop-client-runtime-3.4.1.jar"],
    python: ["pyspark.zip", "py4j-0.10.9.9-src.zip"],
    oldestPython: 9,
  },
  s3proxy: emr7130.s3proxy,
};
