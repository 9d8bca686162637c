/**
 * Ships logs to S3 as EMR does: whole objects, gzipped, again at growing intervals while a file changes. An S3 that is dead delays nothing: shipping
 * goes on beside everything else, and says so in a warning.
 */
import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { readdir, rm, stat } from "node:fs/promises";
import { join, relative } from "node:path";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { createGzip } from "node:zlib";
import type { AgentContext } from "./context.ts";
import type { LogShipping } from "./manifest.ts";
import type { S3 } from "./s3.ts";

const lookMs = 1_000;
/** A step's files first go after 2 s, then after 4, 8, … s. */
const [stepIntervalMs, stepIntervalMaxMs] = [2_000, 60_000];
const [intervalMs, intervalMaxMs] = [10_000, 300_000];

interface Tracked {
  /** `size:mtime` of what was shipped last. */
  shipped: string;
  dueAt: number;
  interval: number;
  /** The upload under way: one at a time per file, so that an older content never lands over a newer one. */
  busy: Promise<unknown>;
}

interface Folder {
  from: string;
  to: string;
  isStep: boolean;
}

export function createShipper(context: AgentContext, s3: S3) {
  const { layout, record } = context;
  const tracked = new Map<string, Tracked>();
  let shipping: LogShipping | null = null;
  let count = 0;
  /** Uploads that have ended well. */
  let arrived = 0;

  function folders({ folders }: LogShipping): Folder[] {
    return [
      { from: join(layout.logs, "steps"), to: "steps", isStep: true },
      { from: join(layout.logs, "bootstrap-actions"), to: "node/{i}/bootstrap-actions", isStep: false },
      ...folders.map((folder) => ({ ...folder, isStep: false })),
    ];
  }

  /** Uploads a file as it is now, unless that is there already. `final` also ships an empty file. */
  async function ship(file: string, uri: string, entry: Tracked, final: boolean): Promise<void> {
    const found = await stat(file).catch(() => undefined);
    if (!found) return; // Rolled over or removed since it was listed: YARN does so with its containers' logs.
    const { size, mtimeMs } = found;
    const version = `${size}:${mtimeMs}`;
    if (version === entry.shipped || (size === 0 && !final)) return;
    const packed = join(layout.run, `ship-${process.pid}-${++count}.gz`);
    try {
      const hash = createHash("sha256");
      let length = 0;
      const measure = new Transform({
        transform(chunk: Buffer, _encoding, done) {
          hash.update(chunk);
          length += chunk.length;
          done(null, chunk);
        },
      });
      await pipeline(createReadStream(file), createGzip(), measure, createWriteStream(packed));
      await s3.put(uri, packed, length, hash.digest("hex"));
      entry.shipped = version;
      arrived += 1;
    } finally {
      await rm(packed, { force: true });
    }
  }

  /** One pass over a folder; throws the first failure after it has tried every file. */
  async function pass(to: LogShipping, folder: Folder, below: string, final: boolean): Promise<void> {
    let failure: unknown;
    for (const file of await filesBelow(join(folder.from, below))) {
      const entry = tracked.get(file) ?? {
        shipped: "",
        dueAt: 0,
        interval: folder.isStep ? stepIntervalMs : intervalMs,
        busy: Promise.resolve(),
      };
      if (!tracked.has(file)) {
        entry.dueAt = performance.now() + entry.interval;
        tracked.set(file, entry);
      }
      if (!final && performance.now() < entry.dueAt) continue;
      const target = `${folder.to.replaceAll("{i}", record.instanceId)}/${relative(folder.from, file)}${file.endsWith(".gz") ? "" : ".gz"}`;
      const before = entry.shipped;
      const upload = entry.busy.then(() => ship(file, `${to.uri}/${target}`, entry, final));
      entry.busy = upload.catch(() => {});
      await upload.catch((error: unknown) => (failure ??= error));
      entry.interval = Math.min(entry.interval * (entry.shipped === before ? 1 : 2), folder.isStep ? stepIntervalMaxMs : intervalMaxMs);
      entry.dueAt = performance.now() + entry.interval;
    }
    if (failure) throw failure;
  }

  async function passAll(final: boolean): Promise<void> {
    if (!shipping) return;
    const to = shipping;
    const results = await Promise.allSettled(folders(to).map((folder) => pass(to, folder, "", final)));
    const failed = results.find((result) => result.status === "rejected");
    if (failed) throw failed.reason as Error;
  }

  return {
    configure(to: LogShipping | null): void {
      shipping = to;
    },

    /** Ships changed files for ever. */
    async run(): Promise<never> {
      for (let pause = lookMs; ;) {
        await sleep(pause);
        try {
          await passAll(false);
          pause = lookMs;
        } catch (error) {
          context.log(`logs: ${(error as Error).message}`);
          context.warn(`logs of ${record.instanceId} could not be shipped for a time (they are tried again)`);
          pause = Math.min(pause * 2, 30_000);
        }
      }
    },

    /** After a step's end: true once all its files are in S3, false after `withinMs`; they are then tried further, and a warning says so. */
    async shipStep(id: string, withinMs: number): Promise<boolean> {
      if (!shipping) return true;
      const to = shipping;
      const [steps] = folders(to);
      const reason = await within(withinMs, () => pass(to, steps!, id, true));
      if (reason !== undefined)
        context.warn(`logs of step ${id} were not in ${to.uri}/steps/${id}/ ${withinMs / 1000} s after its end: ${reason}`);
      return reason === undefined;
    },

    /** All logs, a last time. As long as some arrive in `withinMs`, S3 or the machine is only slow, and it goes on. */
    async flush(withinMs: number): Promise<void> {
      let [reason, before]: [string | undefined, number] = [undefined, 0];
      do {
        before = arrived;
        reason = await within(withinMs, () => passAll(true));
      } while (reason !== undefined && arrived > before);
      if (reason !== undefined) context.warn(`the last logs of ${record.instanceId} are not in ${shipping?.uri}: ${reason}`);
    },
  };
}

export type Shipper = ReturnType<typeof createShipper>;

/** Repeats `work` until it holds or `withinMs` are over; why it does not hold, then. */
async function within(withinMs: number, work: () => Promise<void>): Promise<string | undefined> {
  const giveUpAt = performance.now() + withinMs;
  let reason = "S3 does not answer";
  for (let pause = 200; performance.now() < giveUpAt; pause = Math.min(pause * 2, 2_000)) {
    const attempt = work().then(
      () => true,
      (error: Error) => ((reason = error.message), false),
    );
    if (await Promise.race([attempt, sleep(giveUpAt - performance.now(), false, { ref: false })])) return undefined;
    await sleep(Math.max(0, Math.min(pause, giveUpAt - performance.now())));
  }
  return reason;
}

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true }).catch(() => []);
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}
