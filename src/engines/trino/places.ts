/** Where Trino's own things are on a node, and at which port its servers listen. */
import { join } from "node:path";
import type { NodeFacts } from "../engine.ts";

/** As on an EMR node: the coordinator's page, its clients and what the servers say to each other. */
export const ports = { server: 8889 } as const;

/** Those whose plugins set-up unpacks; their catalogs have the same names. */
export const connectors = ["hive", "iceberg", "tpch", "tpcds", "memory", "blackhole", "jmx"] as const;
export type Connector = (typeof connectors)[number];

/** Of a node's own server, or, on the master, of the coordinator. */
export const serverUrl = (address: string): string => `http://${address}:${ports.server}`;

export function trinoPlaces({ layout, installation }: Pick<NodeFacts, "layout" | "installation">) {
  const { home } = installation.engines.Trino!;
  const conf = join(layout.conf, "trino");
  return {
    home,
    java: join(home, "java"),
    conf,
    catalogs: join(conf, "catalog"),
    logs: join(layout.logs, "trino"),
    data: join(layout.data, "trino"),
  };
}
