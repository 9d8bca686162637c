/** Brings what is on PyPI by the user's own pip, so that its index, proxies and credentials apply. */
import { mkdir, readFile, readdir, realpath, rename, writeFile } from "node:fs/promises";
import { statSync } from "node:fs";
import { join } from "node:path";
import type { Installation } from "../engines/installation.ts";
import type { PipEntry } from "../releases/release.ts";
import { sha256Of } from "./cache.ts";
import { run } from "./run.ts";
import type { Report } from "./task.ts";

const quietly = { PIP_DISABLE_PIP_VERSION_CHECK: "1", PIP_NO_INPUT: "1" };
const explain = (error: unknown, what: string) =>
  new Error(
    `pip could not bring ${what}. Check that \`python3 -m pip --version\` works and that its configuration reaches an index.\n${(error as Error).message}`,
    {
      cause: error,
    },
  );

/** Size of the largest file with this name below a folder: what pip has of a download so far. */
async function arrived(folder: string, file: string): Promise<number> {
  const found = await readdir(folder, { recursive: true }).catch(() => []);
  const sizes = found
    .filter((path) => path.endsWith(file))
    .map((path) => statSync(join(folder, path), { throwIfNoEntry: false })?.size ?? 0);
  return Math.max(0, ...sizes);
}

/** Brings one distribution, of sources or a wheel, into `folder` and verifies it. Returns its path. */
export async function downloadDistribution(python: string, entry: PipEntry, folder: string, report: Report): Promise<string> {
  const temporary = join(folder, "pip");
  await mkdir(temporary, { recursive: true });
  const requirements = join(folder, "requirements.txt");
  await writeFile(requirements, `${entry.requirement} --hash=sha256:${entry.sha256}\n`);
  const show = setInterval(() => {
    void arrived(folder, entry.file).then((done) => report({ done, total: entry.size, unit: "bytes" }));
  }, 500);
  try {
    const kind = entry.file.endsWith(".whl") ? "--only-binary" : "--no-binary";
    const what = ["download", "-q", "--no-deps", kind, ":all:", "--require-hashes", "-r", requirements, "-d", folder];
    await run([python, "-m", "pip", ...what], { timeoutMs: 30 * 60_000, env: { ...quietly, TMPDIR: temporary } });
  } catch (error) {
    throw explain(error, entry.requirement);
  } finally {
    clearInterval(show);
  }
  const file = join(folder, entry.file);
  if ((await sha256Of(file)) !== entry.sha256) throw new Error(`${entry.file} is not what the lock says: its checksum is another one.`);
  report({ done: entry.size, total: entry.size, unit: "bytes" });
  return file;
}

/** Makes a venv in `made` that will be used at `home`, and installs the locked requirements into it. `what` is said where that fails. */
export async function makeVenv(
  python: string,
  requirements: string,
  made: string,
  home: string,
  what = "the node tools (aws, boto3)",
): Promise<void> {
  try {
    await run([python, "-m", "venv", made], { timeoutMs: 5 * 60_000 });
    const install = ["install", "-q", "--require-hashes", "--only-binary", ":all:", "--no-deps", "-r", requirements];
    await run([join(made, "bin", "python3"), "-m", "pip", ...install], { timeoutMs: 15 * 60_000, env: quietly });
  } catch (error) {
    throw explain(error, what);
  }
  // A venv's scripts name the folder that they were made in.
  const bin = join(made, "bin");
  for (const name of await readdir(bin)) {
    const path = join(bin, name);
    if (!statSync(path).isFile() || statSync(path).size > 100_000) continue;
    const text = await readFile(path, "utf8");
    if (!text.includes(made)) continue;
    await writeFile(`${path}.new`, text.replaceAll(made, home), { mode: statSync(path).mode });
    await rename(`${path}.new`, path);
  }
}

/** What Installation.pythonBase says of a venv, from the file that makes it one. */
export async function venvBase(venv: string): Promise<Installation["pythonBase"]> {
  const config = await readFile(join(venv, "pyvenv.cfg"), "utf8");
  const value = (name: string) => new RegExp(`^${name} *= *(.+)$`, "m").exec(config)?.[1]?.trim();
  const [home, version] = [value("home"), value("version")];
  if (!home || !version) throw new Error(`${join(venv, "pyvenv.cfg")} names no home and version: remove ${venv}, then set up again`);
  const packages = join(venv, "lib", `python${version.split(".").slice(0, 2).join(".")}`, "site-packages");
  const system = await realpath("/usr/bin/python3").catch(() => undefined);
  return {
    home,
    program: await realpath(join(home, "python3")),
    version,
    packages,
    ...(system && system !== "/usr/bin/python3" ? { system } : {}),
  };
}
