/**
 * Makes test/clients/requirements.txt: Airflow with its Amazon provider, awswrangler, and all that they need, with the hash of every
 * wheel that a Linux machine with glibc and Python 3.11 or 3.12 may be given. Only the clients' suites use it.
 *
 * Usage: node tools/lock-clients.ts
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "../src/setup/run.ts";

const wanted = ["apache-airflow-core==3.3.2", "apache-airflow-providers-amazon[aiobotocore]==9.39.0", "awswrangler==3.17.1"];
const usable = /-(py3|py2\.py3|cp311-cp311|cp312-cp312|cp3\d{1,2}-abi3)-(none-)?(any|manylinux[^-]*_(x86_64|aarch64))\.whl$/;
/** Markers that uv writes for other systems; on the machines above they are never true. */
const elsewhere = /sys_platform == '(win32|cygwin|darwin)'|python_full_version == '3\.1[3-9]/;

const folder = mkdtempSync(join(tmpdir(), "howdah-lock-"));
try {
  await run(["python3", "-m", "venv", folder], { timeoutMs: 300_000 });
  await run([join(folder, "bin", "pip"), "install", "-q", "uv"], { timeoutMs: 300_000 });
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
  writeFileSync(join(import.meta.dirname, "..", "test", "clients", "requirements.txt"), `${lines.join("\n")}\n`);
  console.log(`${lines.length} packages`);
} finally {
  rmSync(folder, { recursive: true });
}
