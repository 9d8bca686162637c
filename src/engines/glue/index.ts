/** The account's catalog on a cluster without Hive: a metastore for Spark. Where the cluster has Hive, Hive's own is led to the catalog. */
import type { Engine } from "../engine.ts";
import { metastorePlan } from "../hive/index.ts";
import { glueName } from "./settings.ts";

/** Not in RunJobFlow's Applications[]: a cluster has it by its settings (settings.ts). */
export const glue: Engine = {
  name: glueName,
  classifications: [],
  ports: {},
  pages: [],
  homes: ["Tez", "Hive"],
  memoryMb: { MASTER: 250 },
  plan: metastorePlan,
};
