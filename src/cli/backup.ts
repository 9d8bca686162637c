import { resolve } from "node:path";
import { backUp } from "../backup.ts";
import { dataFolder } from "../data-folder.ts";
import { whileWaiting } from "./terminal.ts";

/** `howdah backup FOLDER`, whether a control plane runs or not. */
export async function backup(folder: string, options: { data?: string; s3: boolean }): Promise<void> {
  const data = dataFolder(options.data);
  const to = resolve(folder);
  await whileWaiting("Copying", () => backUp(data, { to, s3: options.s3, at: new Date().toISOString() }));
  console.log(`${to} is a copy of ${data.root}${options.s3 ? "" : ", without S3's objects"}. Nodes and their disks are not in it. To go on from it:
  cp -a ${to} NEW && howdah up --data NEW`);
}
