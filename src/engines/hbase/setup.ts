/** HBase's home: jars in `lib`, the shell with its JRuby in `ruby`, Howdah's own classes beside them. */
import { copyFile, mkdir, readFile, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { run } from "../../setup/run.ts";
import type { EngineSetup, Making } from "../engine-setup.ts";
import { hbaseJars, ownJar } from "./places.ts";

const java = join(import.meta.dirname, "java", "howdah", "hbase");
const sources = ["Flush", "Master", "StoredRoot"].map((name) => join(java, `${name}.java`));
const [jruby, shell] = ["jruby-complete.jar", "shell.rb"];

export const setup: EngineSetup = {
  commands: join(import.meta.dirname, "bin"),
  sources,
  made: [ownJar, join("ruby", jruby), join("ruby", shell)],
  archived: hbaseJars,
  async make(making) {
    await Promise.all([makeShell(making), makeJar(making)]);
    // As EMR has them: /usr/lib/hbase/hbase-client.jar, with the version and without.
    for (const name of await readdir(join(making.folder, "lib")))
      if (name.startsWith("hbase-")) {
        await symlink(join("lib", name), join(making.folder, name));
        await symlink(join("lib", name), join(making.folder, name.replace(/-\d+\.\d+\.\d+(-hadoop3)?(?=\.jar$)/, "")));
      }
    await symlink("/etc/hbase/conf", join(making.folder, "conf"));
  },
};

/** The shell is of HBase 2.4. All of it runs on 2.6 but the command `trace`, whose Java is gone: without it, the others are loaded. */
async function makeShell({ folder, file, jdk }: Making): Promise<void> {
  const ruby = join(folder, "ruby");
  await mkdir(ruby);
  await copyFile(file("jruby-complete"), join(ruby, jruby));
  await run([join(jdk, "bin", "jar"), "--extract", "--file", file("hbase-shell")], { cwd: ruby, timeoutMs: 60_000 });
  await rm(join(ruby, "META-INF"), { recursive: true });
  await rm(join(ruby, "shell", "commands", "trace.rb"));
  const text = await readFile(join(ruby, shell), "utf8");
  const without = text.replace(/^ *trace\n/m, "");
  if (without === text) throw new Error("the command trace is not in HBase's shell.rb: is it another version?");
  await writeFile(join(ruby, shell), without);
}

/** Howdah's classes, and the web pages that HBase's servers look for among classes. */
async function makeJar({ folder, file, jdk, hadoopClassPath }: Making): Promise<void> {
  const [classes, bin] = [join(folder, "classes"), join(jdk, "bin")];
  const classPath = [join(folder, "lib", "*"), ...hadoopClassPath].join(":");
  const flags = ["--release", "17", "-proc:none", "-nowarn", "-cp", classPath];
  await run([join(bin, "javac"), ...flags, "-d", classes, ...sources], { timeoutMs: 5 * 60_000 });
  await run([join(bin, "jar"), "--extract", "--file", file("hbase-server"), "hbase-webapps"], { cwd: classes, timeoutMs: 60_000 });
  await run([join(bin, "jar"), "--create", "--file", join(folder, ownJar), "-C", classes, "."], { timeoutMs: 60_000 });
  await rm(classes, { recursive: true });
}
