/** Runs the manifest's saves: what is saved behind each step survives whatever ends the cluster, the last time is for a cluster that ends in order. */
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { AgentContext } from "./context.ts";
import type { Manifest, Save } from "./manifest.ts";
import { runToEnd } from "./run-to-end.ts";

/** Behind a step nothing waits for it. */
const patienceMs = 300_000;

export function createSaves(context: AgentContext) {
  const logs = join(context.layout.logs, "tasks");
  const ending = new AbortController();
  let running: Promise<void> | undefined;
  let due: Manifest | undefined;

  /** Never throws: a full disk costs what cannot be saved, and nothing else. */
  async function run({ saves = [], env, clusterId }: Manifest, isLast: boolean): Promise<void> {
    const one = async ({ name, argv, timeoutMs }: Save) => {
      mkdirSync(logs, { recursive: true });
      return runToEnd(context, {
        argv: isLast ? [...argv, "last"] : argv,
        env: [env],
        log: join(logs, `${name}.log`),
        timeoutMs: isLast ? timeoutMs : patienceMs,
        ...(isLast ? {} : { signal: ending.signal }),
      });
    };
    const wanted = saves.filter(({ atEndOnly }) => isLast || !atEndOnly);
    const results = wanted.map(async (save) => {
      const failure = await one(save).catch((error: Error) => error.message);
      if (failure === undefined) return;
      context.log(`${save.name}: ${failure}`);
      if (isLast) context.warn(`${save.name} of ${clusterId} is not whole: ${failure}`);
    });
    await Promise.all(results);
  }

  async function untilNoneIsDue(): Promise<void> {
    while (due && !ending.signal.aborted) {
      const manifest = due;
      due = undefined;
      await run(manifest, false);
    }
    running = undefined;
  }

  return {
    afterStep(manifest: Manifest): void {
      due = manifest;
      running ??= untilNoneIsDue();
    },
    /** Once, over restarts of the agent too: behind it the daemons are ended, and would not answer a second time. */
    async last(manifest: Manifest): Promise<void> {
      ending.abort();
      await running;
      const done = join(context.layout.run, "saved");
      if (existsSync(done)) return;
      await run(manifest, true);
      try {
        writeFileSync(done, "");
      } catch (error) {
        context.log(`saves: ${(error as Error).message}`);
      }
    },
  };
}
