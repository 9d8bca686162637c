/** What only the agent can tell scripts of the node: the environment of everything that runs there, and how far its start has come. */
import { existsSync } from "node:fs";
import { writeChanged } from "../files.ts";
import { type AgentContext, environment } from "./context.ts";
import type { Manifest, NodePhase } from "./manifest.ts";
import { quote } from "./text.ts";

/**
 * The node's environment for shells that start without it (`sudo -i`, `su - hadoop`, `env -i bash -l`, somebody who enters the node). What is set
 * already stays, and the node's folders come before PATH where they are not in it.
 */
export function writeProfile(context: AgentContext, given: Record<string, string>): void {
  const { PATH = "", ...rest } = environment(context, given);
  const lines = Object.entries(rest).map(([name, value]) => `[ -n "\${${name}+set}" ] || export ${name}=${quote(value)}`);
  const path = [
    `howdah_path=${quote(PATH)}`,
    'case ":$PATH:" in',
    '*":${howdah_path%%:/usr/*}:"*) ;;',
    "*) export PATH=$howdah_path ;;",
    "esac",
  ];
  writeChanged(context.layout.profile, `${[...lines, ...path, "unset howdah_path"].join("\n")}\n`, 0o644);
}

/** On EMR, scripts that bootstrap actions leave behind wait in this file for `status: SUCCESSFUL` of the node, to go on when all is installed. */
const provisionState = "/mnt/var/lib/info/job-flow-state.txt";

/** Only in degree view: elsewhere the path is the host's. A node that has once been ready stays so. */
export function writeProvisionState({ record }: AgentContext, { clusterId, instanceId, role }: Manifest, phase: NodePhase): void {
  if (record.degree !== "view" || (phase !== "ready" && existsSync(provisionState))) return;
  const lines = [
    `jobFlowId: "${clusterId}"`,
    "localInstance {",
    `  instanceId: "${instanceId}"`,
    `  instanceRole: "${role.toLowerCase()}"`,
    "  nodeProvisionCheckinRecord {",
    `    status: ${phase === "ready" ? "SUCCESSFUL" : "PENDING"}`,
    "  }",
    "}",
  ];
  writeChanged(provisionState, `${lines.join("\n")}\n`, 0o644);
}
