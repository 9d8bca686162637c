/** EMR's s3-dist-cp: Howdah's own program in java/, compiled here against the release's Hadoop. */
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { makeFolder } from "./cache.ts";
import { type Places, s3DistCpSources } from "./places.ts";
import { run } from "./run.ts";

const mainClass = "howdah.s3distcp.S3DistCp";

export const s3DistCpMissing = ({ s3DistCp }: Places) => (existsSync(s3DistCp) ? [] : ["s3-dist-cp"]);

export async function ensureS3DistCp(places: Places, classPath: string[], jdk: string): Promise<void> {
  if (s3DistCpMissing(places).length === 0) return;
  const bin = (name: string) => join(jdk, "bin", name);
  await makeFolder(places.cache, dirname(places.s3DistCp), async (folder) => {
    const classes = join(folder, "classes");
    const compile = [bin("javac"), "--release", "17", "-proc:none", "-cp", classPath.join(":"), "-d", classes, ...s3DistCpSources()];
    await run(compile, { timeoutMs: 5 * 60_000 });
    const jar = join(folder, "s3-dist-cp.jar");
    await run([bin("jar"), "--create", "--file", jar, "--main-class", mainClass, "-C", classes, "."], { timeoutMs: 60_000 });
  });
}
