/** The agent of a node: `main.ts NODE_FOLDER`. Node's builtins only, so that it starts fast. howdah-init starts it again when it ends. */
import { readFileSync } from "node:fs";
import { emptyVolatile } from "./boot.ts";
import type { AgentContext } from "./context.ts";
import { createConverger } from "./converge.ts";
import { createCredentials } from "./credentials.ts";
import { nodeLayout } from "./layout.ts";
import { watchHost } from "./host-watch.ts";
import { followManifest, sendReports } from "./link.ts";
import { readNodeRecord } from "./node-record.ts";
import type { Manifest } from "./manifest.ts";
import { createS3, type NodeS3 } from "./s3.ts";
import { createShipper } from "./ship.ts";
import { watchVolumes } from "./volumes-watch.ts";

const folder = process.argv[2];
if (!folder) throw new Error("usage: main.ts NODE_FOLDER");
// howdah-init ends the node's processes, and only it: an agent that ends alone leaves them to the next one.
process.on("SIGTERM", () => process.exit(0));

const layout = nodeLayout(folder);
const record = readNodeRecord(layout);
const warnings = new Set<string>();
/** The control plane keeps what it was told; a report must not grow for the life of a cluster. */
const mostWarnings = 100;

const context: AgentContext = {
  layout,
  record,
  changed() {
    reports.changed();
    converger.look();
  },
  warn(text) {
    if (warnings.has(text)) return;
    warnings.add(text);
    for (const oldest of warnings) if (warnings.size > mostWarnings) warnings.delete(oldest);
    context.log(`warning: ${text}`);
    reports.changed();
  },
  log: (text) => console.error(`${new Date().toISOString()} ${text}`),
};

const credentials = createCredentials(context);
const s3As = (stepId?: string) =>
  createS3({
    region: record.region,
    endpoint: () => readFileSync(record.endpointFile, "utf8").trim(),
    async credentials() {
      const { AccessKeyId, SecretAccessKey, Token } = await credentials.current(stepId);
      return { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, ...(Token ? { sessionToken: Token } : {}) };
    },
  });
const s3: NodeS3 = { ...s3As(), ofStep: s3As };
const shipper = createShipper(context, s3);
const converger = createConverger(context, s3, shipper);
const reports = sendReports(context, () => ({ ...converger.report(), warnings: [...warnings] }));

watchHost(context);
watchVolumes(context);
try {
  emptyVolatile(layout);
} catch (error) {
  context.log(`the volatile folder: ${(error as Error).message}`); // A full disk: an agent reports all the same.
}
void credentials.serve(converger.metadata);
void shipper.run();
converger.resume();
void followManifest(context, converger.generation, take);

function take(manifest: Manifest): void {
  try {
    credentials.letSteps(manifest.roleSteps);
  } catch (error) {
    context.warn(`${record.instanceId}: steps with runtime roles have no credentials here: ${(error as Error).message}`); // A full disk.
  }
  converger.take(manifest);
}
