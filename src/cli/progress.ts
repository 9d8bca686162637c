/** Set-up as people see it: bars on a terminal, a line per part elsewhere, nothing where all is there. */
import { Listr } from "listr2";
import type { Installation } from "../engines/installation.ts";
import { enginesHere, ensureSetup, readInstallation, type SetupProgress, setupTasks } from "../setup.ts";

export async function setUpWithProgress(releaseLabel: string, named: readonly string[] = []): Promise<Installation> {
  const applications = [...new Set([...named, ...enginesHere(releaseLabel)])];
  const installation = readInstallation(releaseLabel, applications);
  // Commands may still be another version's.
  if (!("missing" in installation)) return ensureSetup({ releaseLabel, applications });
  const isNew = "missing" in readInstallation(releaseLabel);
  const much = isNew ? "about 700 MB by Maven and pip" : withoutParts(installation.missing).join(", ");
  console.log(`Setting up ${releaseLabel} (once; ${much}, kept in the cache)`);
  return process.stdout.isTTY ? onTerminal(releaseLabel, applications) : inLines(releaseLabel, applications);
}

/** "Hive (hive-exec-3.1.3.jar)", "Hive (commands)", …: Hive. */
export const withoutParts = (missing: readonly string[]): string[] => [...new Set(missing.map((name) => name.replace(/ \(.*/, "")))];

async function inLines(releaseLabel: string, applications: readonly string[]): Promise<Installation> {
  const begun = new Map<string, number>();
  return ensureSetup({
    releaseLabel,
    applications,
    onProgress({ task, state }) {
      if (state === "started") begun.set(task, performance.now());
      if (state === "done") console.log(`  ${((performance.now() - (begun.get(task) ?? 0)) / 1000).toFixed(1).padStart(6)} s  ${task}`);
    },
  });
}

/** Every part has its line from the start; ensureSetup runs them, and its events drive the lines. */
async function onTerminal(releaseLabel: string, applications: readonly string[]): Promise<Installation> {
  const parts = new Map(
    setupTasks(releaseLabel, applications).map(({ title }) => [title, { ...Promise.withResolvers<void>(), show: (_text: string) => {} }]),
  );
  const list = new Listr(
    [...parts].map(([title, part]) => ({
      title,
      task: async (_context, task) => {
        part.show = (text) => {
          task.title = `${title}  ${text}`;
        };
        await part.promise;
      },
    })),
    {
      concurrent: true,
      exitOnError: false,
      rendererOptions: { timer: { condition: true, field: (ms: number) => `${(ms / 1000).toFixed(0)} s` } },
    },
  );
  const shown = list.run();
  try {
    return await ensureSetup({
      releaseLabel,
      applications,
      onProgress({ task, state, progress }) {
        if (progress) parts.get(task)?.show(bar(progress));
        if (state === "done") parts.get(task)?.resolve();
      },
    });
  } catch (error) {
    for (const part of parts.values()) part.reject(error instanceof Error ? error : new Error(String(error)));
    throw error;
  } finally {
    for (const part of parts.values()) part.resolve();
    await shown;
  }
}

/** [██████░░░░] 60 % of 1,234 files */
function bar({ done, total, unit }: SetupProgress): string {
  const amount = (count: number) => (unit === "bytes" ? `${(count / 1e6).toFixed(0)} MB` : `${count.toLocaleString("en")} ${unit}`);
  if (total === 0) return amount(done);
  const tenths = Math.min(10, Math.floor((10 * done) / total));
  return `[${"█".repeat(tenths)}${"░".repeat(10 - tenths)}] ${amount(done)} of ${amount(total)}`;
}
