/** Flink's home: jars in `lib`, the SQL client's in `opt`, examples, and Howdah's own jar, by which s3:// is the cluster's S3A. */
import { copyFile, mkdir, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { jarName } from "../../setup/maven.ts";
import { run } from "../../setup/run.ts";
import type { EngineSetup, Making } from "../engine-setup.ts";
import { ownJar } from "./places.ts";

const java = join(import.meta.dirname, "java", "howdah", "flink");
const sources = ["S3", "S3Requests"].map((name) => join(java, `${name}.java`));
const [examples, s3] = ["flink-examples-streaming", "flink-s3-fs-hadoop"];

/** Of Flink's plugin for S3: its writer, and the types of requests that it names. The rest is a Hadoop and an SDK. */
const writerClasses = [
  "org/apache/flink/fs/s3",
  "org/apache/flink/fs/s3hadoop",
  ...["model", "internal", "Headers.class"].map((name) => `com/amazonaws/services/s3/${name}`),
  ...["AmazonClientException.class", "SdkClientException.class", "auth"].map((name) => `com/amazonaws/${name}`),
];

export const setup: EngineSetup = {
  commands: join(import.meta.dirname, "bin"),
  sources,
  made: [ownJar, "opt", "plugins", join("examples", "streaming", "WordCount.jar")],
  async make(making) {
    const { folder, lock, file } = making;
    const streaming = join(folder, "examples", "streaming");
    for (const made of [streaming, join(folder, "opt"), join(folder, "plugins")]) await mkdir(made, { recursive: true });
    for (const entry of lock.files ?? [])
      if (entry.artifact === examples) await copyFile(file(examples, entry.classifier), join(streaming, `${entry.classifier}.jar`));
      else if (entry.artifact !== s3) await copyFile(file(entry.artifact), join(folder, "opt", jarName(entry)));
    await makeJar(making);
    await symlink("/etc/flink/conf", join(folder, "conf"));
    await symlink("/var/log/flink", join(folder, "log"));
  },
};

async function makeJar({ folder, file, jdk, hadoopClassPath }: Making): Promise<void> {
  const [classes, bin] = [join(folder, "classes"), join(jdk, "bin")];
  const services = join(classes, "META-INF", "services");
  await mkdir(services, { recursive: true });
  await run([join(bin, "jar"), "--extract", "--file", file(s3), ...writerClasses], { cwd: classes, timeoutMs: 60_000 });
  await writeFile(
    join(services, "org.apache.flink.core.fs.FileSystemFactory"),
    ["S3", "S3$A", "S3$N"].map((name) => `howdah.flink.${name}\n`).join(""),
  );
  const classPath = [classes, join(folder, "lib", "*"), ...hadoopClassPath].join(":");
  const flags = ["--release", "17", "-proc:none", "-nowarn", "-cp", classPath];
  await run([join(bin, "javac"), ...flags, "-d", classes, ...sources], { timeoutMs: 5 * 60_000 });
  await run([join(bin, "jar"), "--create", "--file", join(folder, ownJar), "-C", classes, "."], { timeoutMs: 60_000 });
  await rm(classes, { recursive: true });
}
