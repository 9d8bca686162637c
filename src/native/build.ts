/** Builds the two C programs of native/ once per version of their sources, with the machine's own compiler or, without one, PyPI's `ziglang`. */
import { execFile } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readFile, rename, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const sources = resolve(import.meta.dirname, "../../native");
const programs = [
  { parts: ["init.c", "view.c"], headers: ["view.h"], output: "howdah-init", flags: [] },
  { parts: ["preload.c"], headers: [], output: "libhowdah.so", flags: ["-shared", "-fPIC"] },
];

/** Paths of the programs' sources. */
export const nativeSources = (): string[] =>
  programs.flatMap(({ parts, headers }) => [...parts, ...headers].map((name) => join(sources, name)));

/** Absolute paths of howdah-init and of the preload library. */
export interface Native {
  init: string;
  preload: string;
}

/**
 * The built programs below `cache`, made on first use (one second with a compiler, a minute when ziglang has to be brought). Safe to call from
 * several processes at once. Throws with what to install where neither compiler works.
 */
export async function ensureNative(cache: string): Promise<Native> {
  const hash = createHash("sha256").update(process.arch);
  for (const source of nativeSources()) hash.update(await readFile(source));
  const folder = join(cache, "native", hash.digest("hex").slice(0, 16));
  const native = { init: join(folder, "howdah-init"), preload: join(folder, "libhowdah.so") };
  if (existsSync(native.init) && existsSync(native.preload)) return native;

  const work = join(cache, "native", `.${process.pid}-${randomBytes(4).toString("hex")}`);
  await mkdir(join(work, "out"), { recursive: true });
  try {
    const compiler = await findCompiler(work);
    for (const { parts, output, flags } of programs) {
      const args = [
        ...compiler.slice(1),
        "-O2",
        ...flags,
        "-o",
        join(work, "out", output),
        ...parts.map((name) => join(sources, name)),
        "-ldl",
      ];
      await run(compiler[0]!, args, { timeout: 180_000 }).catch((error: { stderr?: string; message: string }) => {
        throw new Error(`${compiler.join(" ")} could not build native/${parts.join(" and ")}:\n${error.stderr || error.message}`);
      });
    }
    // Another process may have been faster: its programs are as good.
    await rename(join(work, "out"), folder).catch((error: NodeJS.ErrnoException) => {
      if (!existsSync(native.preload)) throw error;
    });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  return native;
}

/** A command that compiles C and links with the C library: $CC or cc, else zig in a venv that lives only for the build. */
export async function findCompiler(work: string): Promise<string[]> {
  const own = process.env.CC ?? "cc";
  const works = await run(own, ["--version"], { timeout: 10_000 }).then(
    () => true,
    () => false,
  );
  if (works) return [own];
  const venv = join(work, "venv");
  try {
    await run("python3", ["-m", "venv", venv], { timeout: 120_000 });
    await run(join(venv, "bin", "pip"), ["install", "--quiet", "--disable-pip-version-check", "ziglang"], { timeout: 600_000 });
  } catch (error) {
    throw new Error(
      `no C compiler: "${own}" does not run, and PyPI's ziglang could not be brought (${firstLine(error)}). ` +
        "Install a C compiler (Debian: apt install gcc libc6-dev), or python3 with venv and access to PyPI or a mirror of it.",
      { cause: error },
    );
  }
  return [join(venv, "bin", "python3"), "-m", "ziglang", "cc"];
}

function firstLine(error: unknown): string {
  const { stderr, message } = error as { stderr?: string; message: string };
  return (stderr || message).trim().split("\n").at(-1) ?? "";
}
