/** What the parts of an agent share: the node's folder and record, how its processes are started, and how news reaches the control plane. */
import type { NodeLayout } from "./layout.ts";
import { credentialsUrl } from "./layout.ts";
import { domainOf, type NodeRecord } from "./node-record.ts";

export interface AgentContext {
  layout: NodeLayout;
  record: NodeRecord;
  /** Something that a report says has changed: one is sent at once. */
  changed(): void;
  /** Adds a warning to the reports; the same text only once. */
  warn(text: string): void;
  /** A line of the agent's own log. */
  log(text: string): void;
}

/**
 * Environment of everything that runs on the node, shells of `howdah ssh` too: the node's own below, the manifest's over it, and what must hold
 * in any case on top.
 */
export function environment(
  { layout, record }: Pick<AgentContext, "layout" | "record">,
  ...given: (Record<string, string> | undefined)[]
): Record<string, string> {
  const isView = record.degree === "view";
  const env: Record<string, string> = {
    PATH: process.env.PATH ?? "/usr/local/bin:/usr/bin:/bin",
    LANG: "C.UTF-8",
    USER: "hadoop",
    LOGNAME: "hadoop",
    HOME: isView ? "/home/hadoop" : layout.home,
    TMPDIR: isView ? "/tmp" : layout.tmp,
    AWS_CONTAINER_CREDENTIALS_FULL_URI: credentialsUrl(record.address),
    AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: layout.credentialsToken,
    ...Object.assign({}, ...given),
    ...record.owner,
    HOWDAH_NODE: record.instanceId,
    HOWDAH_NODE_IP: record.address,
    HOWDAH_NODE_DOMAIN: domainOf(record.region),
    HOWDAH_INFO: layout.info,
    ...(isView ? {} : { HOWDAH_NODE_NAME: record.hostname }),
  };
  env.LD_PRELOAD = [record.preload, env.LD_PRELOAD].filter(Boolean).join(":");
  return env;
}
