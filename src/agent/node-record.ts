/** What a provider leaves in a node's folder for the agent: NODE/node.json, mode 0600 because of the token. */
import { readFileSync } from "node:fs";
import type { LaunchSpec } from "../providers/provider.ts";
import type { NodeLayout } from "./layout.ts";

export interface NodeRecord extends LaunchSpec {
  /** `view`: namespaces with EMR's own paths; `plain`: folders on the host. */
  degree: "view" | "plain";
  /** Environment that marks everything of the data folder: HOWDAH_OWNER. */
  owner: Record<string, string>;
  /** File that holds the URL of the control plane that runs now. */
  endpointFile: string;
  /** The preload library, for the environment of everything that runs on the node. */
  preload: string;
}

/** EC2's way of naming a host by its address. */
export const hostnameOf = (address: string): string => `ip-${address.replaceAll(".", "-")}`;

/** The domain that EC2 gives the names of a region's hosts. */
export const domainOf = (region: string): string => (region === "us-east-1" ? "ec2.internal" : `${region}.compute.internal`);

export function readNodeRecord(layout: NodeLayout): NodeRecord {
  return JSON.parse(readFileSync(layout.spec, "utf8")) as NodeRecord;
}
