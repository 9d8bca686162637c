import { existsSync } from "node:fs";
import { dataFolder } from "../data-folder.ts";
import { providerOf } from "../running.ts";
import { takeDown } from "../take-down.ts";
import { plural, whileWaiting } from "./terminal.ts";

/** `howdah down`. Exits 0 where nothing was running, too. */
export async function down(options: { data?: string; keep?: boolean }): Promise<void> {
  const data = dataFolder(options.data);
  if (!existsSync(data.root)) {
    console.log(`Howdah has never run in ${data.root}: there is nothing to end.`);
    return;
  }
  const title = options.keep ? "Ending all processes" : "Ending everything";
  const { instances, clusters, kept } = await whileWaiting(title, (say) => takeDown(data, say, { keep: options.keep ?? false }));
  console.log(`Howdah is down: ${plural(clusters, "cluster")} and ${plural(instances, "instance")} ended. ${data.root} keeps S3 and logs.`);
  if (kept > 0)
    console.log(
      `${plural(kept, "cluster")} kept, with HDFS and all else on its nodes' disks. To start again: howdah up${providerOf(data) === "simulated" ? " --provider simulated" : ""} --data ${data.root}`,
    );
}
