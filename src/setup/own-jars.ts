/** Howdah's own Java programs in java/, each compiled here to a jar against the release's Hadoop. */
import { existsSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { makeFolder } from "./cache.ts";
import { javaSources, type OwnJar, ownJarNames, type Places } from "./places.ts";
import { run } from "./run.ts";

/** Of those that are run by themselves. */
const mainClasses: Partial<Record<OwnJar, string>> = { "s3-dist-cp": "howdah.s3distcp.S3DistCp" };

export const ownJarsMissing = ({ ownJars }: Places) => ownJarNames.filter((name) => !existsSync(ownJars[name]));

export async function ensureOwnJar(places: Places, name: OwnJar, classPath: string[], jdk: string): Promise<void> {
  const target = places.ownJars[name];
  if (existsSync(target)) return;
  const bin = (program: string) => join(jdk, "bin", program);
  await makeFolder(places.cache, dirname(target), async (folder) => {
    const classes = join(folder, "classes");
    const compile = [bin("javac"), "--release", "17", "-proc:none", "-cp", classPath.join(":"), "-d", classes, ...javaSources(name)];
    await run(compile, { timeoutMs: 5 * 60_000 });
    const mainClass = mainClasses[name];
    const jar = [bin("jar"), "--create", "--file", join(folder, basename(target)), ...(mainClass ? ["--main-class", mainClass] : [])];
    await run([...jar, "-C", classes, "."], { timeoutMs: 60_000 });
  });
}
