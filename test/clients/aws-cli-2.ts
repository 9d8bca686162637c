/** Finds the aws CLI v2 of this machine. It is not on PyPI; where the tests run as root on Debian or Ubuntu, its package is installed. */
import { accessSync, constants } from "node:fs";
import { join } from "node:path";
import { run } from "../../src/setup/run.ts";

/** Minor of the first version 2 that reads AWS_ENDPOINT_URL. Debian 12 has an older one, which takes --endpoint-url. */
const readsEndpointUrl = 13;

export interface AwsCli2 {
  argv(endpoint: string): string[];
}

const howTo = "no aws CLI v2 on this machine. Install it (Debian and Ubuntu: apt install awscli)";

export async function findAwsCli2(): Promise<AwsCli2 | { missing: string }> {
  const found = await search();
  if (found) return found;
  if (process.getuid?.() !== 0) return { missing: howTo };
  try {
    const env = { DEBIAN_FRONTEND: "noninteractive" };
    await run(["apt-get", "update", "-qq"], { timeoutMs: 300_000, env });
    await run(["apt-get", "install", "-qq", "-y", "--no-install-recommends", "awscli"], { timeoutMs: 600_000, env });
  } catch (error) {
    return { missing: `${howTo}; apt-get could not: ${(error as Error).message}` };
  }
  return (await search()) ?? { missing: `${howTo}; apt-get's awscli is of version 1` };
}

async function search(): Promise<AwsCli2 | undefined> {
  for (const folder of [...(process.env.PATH ?? "").split(":"), "/usr/bin", "/usr/local/bin"]) {
    const command = join(folder, "aws");
    try {
      accessSync(command, constants.X_OK);
      const [, major, minor] = /aws-cli\/(\d+)\.(\d+)/.exec(await run([command, "--version"], { timeoutMs: 60_000 })) ?? [];
      if (Number(major) !== 2) continue;
      const old = Number(minor) < readsEndpointUrl;
      return { argv: (endpoint) => (old ? [command, "--endpoint-url", endpoint] : [command]) };
    } catch {
      // Not there, or not to be run.
    }
  }
  return undefined;
}
