/**
 * Makes the locks of Python programs that only tests and benches use, with all that they need and the hash of every wheel that a Linux machine with glibc
 * and Python 3.11 or 3.12 may be given: test/clients/requirements.txt has Airflow with its Amazon provider and awswrangler, bench/api/requirements.txt
 * moto's server, test/clients/pytest-requirements.txt what docs/unit-tests.md runs.
 *
 * Usage: node tools/lock-clients.ts [clients|moto|pytest …]
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "../src/setup/run.ts";

const locks: Record<string, { file: string; wanted: string[] }> = {
  clients: {
    file: "test/clients/requirements.txt",
    wanted: ["apache-airflow-core==3.3.2", "apache-airflow-providers-amazon[aiobotocore]==9.39.0", "awswrangler==3.17.1"],
  },
  pytest: { file: "test/clients/pytest-requirements.txt", wanted: ["pytest==9.*", "boto3==1.43.*"] },
  moto: { file: "bench/api/requirements.txt", wanted: ["moto[server]==5.2.5"] },
};
const usable = /-(py3|py2\.py3|cp311-cp311|cp312-cp312|cp3\d{1,2}-abi3)-(none-)?(any|manylinux[^-]*_(x86_64|aarch64))\.whl$/;
/** Markers that uv writes for other systems; on the machines above they are never true. */
const elsewhere = /sys_platform == '(win32|cygwin|darwin)'|python_full_version == '3\.1[3-9]/;

const folder = mkdtempSync(join(tmpdir(), "howdah-lock-"));
try {
  await run(["python3", "-m", "venv", folder], { timeoutMs: 300_000 });
  await run([join(folder, "bin", "pip"), "install", "-q", "uv"], { timeoutMs: 300_000 });
  for (const name of process.argv.length > 2 ? process.argv.slice(2) : Object.keys(locks)) await lock(locks[name]!);
} finally {
  rmSync(folder, { recursive: true });
}

async function lock({ file, wanted }: { file: string; wanted: string[] }): Promise<void> {
  const [given, locked] = [join(folder, "in.txt"), join(folder, "pylock.toml")];
  writeFileSync(given, wanted.join("\n"));
  const how = ["--universal", "--python-version", "3.11", "--only-binary", ":all:", "--format", "pylock.toml", "-q"];
  await run([join(folder, "bin", "uv"), "pip", "compile", ...how, given, "-o", locked], { timeoutMs: 600_000 });
  const lines: string[] = [];
  for (const entry of readFileSync(locked, "utf8").split("[[packages]]\n").slice(1)) {
    const field = (name: string) => new RegExp(`^${name} = "(.*)"$`, "m").exec(entry)?.[1];
    const marker = field("marker");
    if (elsewhere.test(marker ?? "")) continue;
    const wheels = [...entry.matchAll(/url = "[^"]*\/([^"/]+)".*?sha256 = "([0-9a-f]{64})"/g)].filter(([, file = ""]) => usable.test(file));
    if (wheels.length === 0) throw new Error(`${field("name")} ${field("version")} has no wheel for these machines`);
    const hashes = wheels.map(([, , hash]) => `    --hash=sha256:${hash}`).toSorted();
    lines.push([`${field("name")}==${field("version")}${marker ? ` ; ${marker}` : ""}`, ...hashes].join(" \\\n"));
  }
  writeFileSync(join(import.meta.dirname, "..", file), `${lines.join("\n")}\n`);
  console.log(`${file}: ${lines.length} packages`);
}
