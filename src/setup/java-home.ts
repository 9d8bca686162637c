/** JAVA_HOME of nodes: links to the JDK, and a `java` of Howdah's own (src/engines/java/java says what for). */
import { existsSync, readFileSync } from "node:fs";
import { mkdir, readdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { makeFolder } from "./cache.ts";
import { javaStandIn } from "./places.ts";

/** An archive, and the jars that it was made of as a distribution's class paths name them (`marker`) and in its own order (`jars`). */
export interface ArchiveUse {
  archive: string;
  marker: string;
  jars: string[];
}

function table(uses: ArchiveUse[]): string {
  return uses.map(({ archive, marker, jars }) => `${archive}\t${marker}\t${jars.join(":")}\n`).join("");
}

const quoted = (path: string) => `'${path.replaceAll("'", `'\\''`)}'`;

function script(home: string, jdk: string): string {
  return readFileSync(javaStandIn, "utf8")
    .replace("@JDK@", quoted(jdk))
    .replace("@TABLE@", quoted(join(home, "archives.tsv")));
}

export function javaHomeMissing(home: string, jdk: string, uses: ArchiveUse[]): string[] {
  const same = (name: string, text: string) => existsSync(join(home, name)) && readFileSync(join(home, name), "utf8") === text;
  return same("archives.tsv", table(uses)) && same("bin/java", script(home, jdk)) ? [] : ["Java for nodes"];
}

export async function ensureJavaHome(cache: string, home: string, jdk: string, uses: ArchiveUse[]): Promise<void> {
  if (javaHomeMissing(home, jdk, uses).length === 0) return;
  await makeFolder(cache, home, async (folder) => {
    for (const name of await readdir(jdk)) if (name !== "bin") await symlink(join(jdk, name), join(folder, name));
    await mkdir(join(folder, "bin"));
    for (const name of await readdir(join(jdk, "bin"))) {
      if (name !== "java") await symlink(join(jdk, "bin", name), join(folder, "bin", name));
    }
    await writeFile(join(folder, "bin", "java"), script(home, jdk), { mode: 0o755 });
    await writeFile(join(folder, "archives.tsv"), table(uses));
  });
}
