/** HCatalog: Hive's tables for other programs. Its server is Hive's metastore, which every cluster with Hive has, and its jars are in Hive's home. */
import { join } from "node:path";
import type { Engine } from "../engine.ts";
import { command } from "../node-base.ts";

export const hcatalog: Engine = {
  name: "HCatalog",
  commands: ["hcat"],
  classifications: [],
  ports: {},
  pages: [],
  needs: ["Hive"],
  plan: (facts) => ({
    base: [command(facts, "hcat", join(facts.installation.engines.Hive!.home, "bin", "hcat"))],
    files: [],
    daemons: [],
    tasks: [],
    saves: [],
    env: {},
    path: [],
    logs: [],
  }),
};
