import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { nodeLayout } from "../agent/layout.ts";
import { type DataFolder, dataFolder } from "../data-folder.ts";
import { instancesOf } from "../store/instances.ts";
import { openStore } from "../store/store.ts";
import { controlPlaneLog } from "./up.ts";

/** `howdah logs [CLUSTER [STEP]]`: Howdah's own log; the paths of a cluster's logs; or what a step wrote. Read from the nodes' folders. */
export async function logs(clusterId: string | undefined, stepId: string | undefined, options: { data?: string }): Promise<void> {
  const data = dataFolder(options.data);
  if (clusterId === undefined) {
    const path = controlPlaneLog(data);
    if (!existsSync(path)) throw new Error(`there is no log in ${data.logs}: Howdah has never run there`);
    process.stdout.write(readFileSync(path));
    return;
  }
  const folders = await logFolders(data, clusterId);
  if (stepId === undefined) {
    for (const folder of folders) for (const file of filesBelow(folder)) console.log(file);
    return;
  }
  const folder = folders.map((path) => join(path, "steps", stepId)).find((path) => existsSync(path));
  if (!folder) throw new Error(`no node of ${clusterId} has logs of step ${stepId}: has it started?`);
  for (const file of filesBelow(folder)) {
    console.log(`==> ${file} <==`);
    process.stdout.write(readFileSync(file));
  }
}

async function logFolders(data: DataFolder, clusterId: string): Promise<string[]> {
  if (!existsSync(data.database)) throw new Error(`Howdah has never run in ${data.root}`);
  const store = await openStore(data.database, Date.now);
  const instances = await instancesOf(store.db, clusterId).finally(() => store.close());
  if (instances.length === 0) throw new Error(`there is no cluster ${clusterId} in ${data.root}, or it has no instances yet`);
  return instances.map(({ id }) => nodeLayout(data.node(id)).logs);
}

function filesBelow(folder: string): string[] {
  if (!existsSync(folder)) return [];
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .toSorted();
}
