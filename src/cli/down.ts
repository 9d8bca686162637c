import { existsSync } from "node:fs";
import { dataFolder } from "../data-folder.ts";
import { takeDown } from "../take-down.ts";

/** `howdah down`. Exits 0 where nothing was running, too. */
export async function down(options: { data?: string }): Promise<void> {
  const data = dataFolder(options.data);
  if (!existsSync(data.root)) {
    console.log(`Howdah has never run in ${data.root}: there is nothing to end.`);
    return;
  }
  const { instances, clusters } = await takeDown(data, (text) => console.log(text));
  console.log(
    `Howdah is down: ${clusters} cluster${clusters === 1 ? "" : "s"} and ${instances} instance${instances === 1 ? "" : "s"} ended. ${data.root} keeps S3 and logs.`,
  );
}
