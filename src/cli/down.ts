import { existsSync } from "node:fs";
import { dataFolder } from "../data-folder.ts";
import { takeDown } from "../take-down.ts";
import { plural, whileWaiting } from "./terminal.ts";

/** `howdah down`. Exits 0 where nothing was running, too. */
export async function down(options: { data?: string }): Promise<void> {
  const data = dataFolder(options.data);
  if (!existsSync(data.root)) {
    console.log(`Howdah has never run in ${data.root}: there is nothing to end.`);
    return;
  }
  const { instances, clusters } = await whileWaiting("Ending everything", (say) => takeDown(data, say));
  console.log(`Howdah is down: ${plural(clusters, "cluster")} and ${plural(instances, "instance")} ended. ${data.root} keeps S3 and logs.`);
}
