/**
 * Volumes that are filesystems of their own, looked at now and then: full ones, and such as take no writes any more, after an error of the disk or by their mount. Those look well to
 * whoever does not write, so a byte is written; what comes of it YARN reads (engines/hadoop/sites.ts).
 */
import { execFile } from "node:child_process";
import { statfsSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { writeChanged } from "../files.ts";
import type { AgentContext } from "./context.ts";
import { volumeFolder } from "./layout.ts";

const everyMs = 5_000;
/** Nobody answers a write sooner than the disk does: not a busy one, which may take seconds. */
const answerMs = 60_000;

export function watchVolumes({ layout, record, warn, log }: AgentContext): void {
  const { instanceId, volumes = [] } = record;
  if (volumes.length === 0) return;
  const watched = volumes.map((_, index) => ({
    name: `/mnt${index || ""}`,
    folder: volumeFolder(layout, index),
    ...createTrial(join(volumeFolder(layout, index), ".howdah-write")),
  }));
  async function look(): Promise<void> {
    try {
      const found: string[] = [];
      await Promise.all(
        watched.map(async ({ name, folder, write }) => {
          const { blocks, bfree } = statfsSync(folder);
          if (bfree < blocks / 10) warn(`${instanceId}: its volume ${name} is more than 90 % full`);
          const error = await write();
          if (error === undefined) return;
          warn(`${instanceId}: its volume ${name} takes no writes: ${error}`);
          found.push(`volume ${name} takes no writes: ${error}`);
        }),
      );
      // What an earlier agent has found holds until here.
      writeChanged(layout.volumesHealth, found.length > 0 ? `ERROR ${found.toSorted().join("; ")}\n` : "");
    } catch (error) {
      log(`volumes: ${(error as Error).message}`);
    }
    setTimeout(() => void look(), everyMs);
  }
  void look();
}

/** `write`: why a byte cannot be written there, or how long it has taken so far; undefined where it can. By a process of its own: one that hangs holds up nothing else. */
export function createTrial(file: string, program = "dd", patienceMs = answerMs): { write(): Promise<string | undefined> } {
  let pending: Promise<string | undefined> | undefined;
  return {
    async write() {
      // The same byte of the same file each time, so that a disk that is merely full takes it.
      pending ??= promisify(execFile)(program, ["if=/dev/zero", `of=${file}`, "bs=1", "count=1", "conv=fsync,notrunc", "status=none"])
        .then(
          () => undefined,
          ({ stderr, message }: { stderr?: string; message: string }) => (stderr || message).trim().split(": ").at(-1),
        )
        .finally(() => (pending = undefined));
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<string>((resolve) => {
        timer = setTimeout(() => resolve(`one has taken more than ${patienceMs / 1000} s`), patienceMs);
      });
      return Promise.race([pending, late]).finally(() => clearTimeout(timer));
    },
  };
}
