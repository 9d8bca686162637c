/** What EMR tells a node's scripts about it, before the first bootstrap action: `grep isMaster /mnt/var/lib/info/instance.json`. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { writeWhole } from "../files.ts";
import type { AgentContext } from "./context.ts";
import type { Manifest } from "./manifest.ts";

const folder = "/mnt/var/lib/info";

/** Only in degree view: elsewhere the path is the host's. The fields are EMR's; those that say nothing here are left out. */
export function writeInfo({ record }: AgentContext, { clusterId, role, region }: Manifest): void {
  if (record.degree !== "view") return;
  mkdirSync(folder, { recursive: true });
  const put = (name: string, content: object) => writeWhole(join(folder, name), `${JSON.stringify(content, null, 2)}\n`, 0o644);
  put("instance.json", { isMaster: role === "MASTER" });
  put("job-flow.json", { jobFlowId: clusterId });
  put("extraInstanceData.json", { jobFlowId: clusterId, instanceRole: role.toLowerCase(), region });
}
