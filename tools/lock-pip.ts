/**
 * Makes src/releases/locks/tools-requirements.txt: the node tools (aws CLI, boto3) and all that they need, with the hash of every
 * file that some supported machine may be given. One set fits Python 3.8 to 3.12 on both processors, so versions are the newest
 * that still run on 3.8; urllib3 is the last one that botocore accepts there.
 *
 * Usage: node tools/lock-pip.ts
 */
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "../src/setup/run.ts";

const pins: Record<string, string> = {
  awscli: "1.38.38",
  boto3: "1.37.38",
  botocore: "1.37.38",
  colorama: "0.4.6",
  docutils: "0.19",
  jmespath: "1.0.1",
  pyasn1: "0.6.1",
  "python-dateutil": "2.9.0.post0",
  pyyaml: "6.0.3",
  rsa: "4.7.2",
  s3transfer: "0.11.5",
  six: "1.17.0",
  urllib3: "1.26.20",
};
/** The only one with a file per Python and processor. */
const compiled = "pyyaml";

const hashes = async (name: string): Promise<string[]> => {
  const folder = mkdtempSync(join(tmpdir(), "howdah-lock-"));
  const targets =
    name === compiled
      ? ["3.8", "3.9", "3.10", "3.11", "3.12"].flatMap((version) =>
          ["x86_64", "aarch64"].map((processor) => ["--python-version", version, "--platform", `manylinux2014_${processor}`]),
        )
      : [[]];
  try {
    for (const target of targets) {
      const what = ["-q", "--no-deps", "--only-binary=:all:", ...target, `${name}==${pins[name]}`, "-d", folder];
      await run(["python3", "-m", "pip", "download", ...what], { timeoutMs: 300_000 });
    }
    return readdirSync(folder)
      .toSorted()
      .map((file) =>
        createHash("sha256")
          .update(readFileSync(join(folder, file)))
          .digest("hex"),
      );
  } finally {
    rmSync(folder, { recursive: true });
  }
};

const lines: string[] = [];
for (const name of Object.keys(pins)) {
  lines.push([`${name}==${pins[name]}`, ...(await hashes(name)).map((hash) => `    --hash=sha256:${hash}`)].join(" \\\n"));
}
const target = join(import.meta.dirname, "..", "src", "releases", "locks", "tools-requirements.txt");
writeFileSync(target, `${lines.join("\n")}\n`);
console.log(`${lines.length} packages`);
