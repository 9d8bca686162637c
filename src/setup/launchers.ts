/** Commands of Howdah's own in the `bin` folder of a distribution. They follow their sources here without the distribution being made anew. */
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { chmod, copyFile, mkdir, readFile, rename } from "node:fs/promises";
import { join } from "node:path";

/**
 * true where each file of `from` is in `bin`, as it is or as another version of Howdah has it: distributions are shared, and the clusters of one
 * version go on while another sets up.
 */
export function hasLaunchers(from: string, bin: string): boolean {
  return readdirSync(from).every((name) => existsSync(join(bin, name)));
}

/** true where they are those of `from`. */
export function areLaunchersOurs(from: string, bin: string): boolean {
  return readdirSync(from).every((name) => sameText(join(from, name), join(bin, name)));
}

/** One at a time and renamed, since nodes may be using them. */
export async function placeLaunchers(from: string, bin: string): Promise<void> {
  await mkdir(bin, { recursive: true });
  for (const name of readdirSync(from)) {
    const [source, target] = [join(from, name), join(bin, name)];
    if (sameText(source, target)) continue;
    await copyFile(source, `${target}.new`);
    await chmod(`${target}.new`, (await readFile(source, "utf8")).startsWith("#!") ? 0o755 : 0o644);
    await rename(`${target}.new`, target);
  }
}

function sameText(a: string, b: string): boolean {
  try {
    return readFileSync(a, "utf8") === readFileSync(b, "utf8");
  } catch {
    return false;
  }
}
