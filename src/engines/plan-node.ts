/** What a node must be, for all engines of its cluster: the part of a manifest that is about software. */
import { join } from "node:path";
import type { EnginePlan, NodeFacts } from "./engine.ts";
import { enginesFor } from "./index.ts";
import { nodeBase, pythonBin } from "./node-base.ts";

/** Folders of the machine that a node's PATH ends with. */
const systemPath = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];

/** Pure: the same facts give the same plan. */
export function planNode(facts: NodeFacts): EnginePlan {
  const { installation } = facts;
  const plans = enginesFor(facts.cluster.applications).map((engine) => engine.plan(facts));
  return {
    base: [...nodeBase(facts), ...plans.flatMap((plan) => plan.base)],
    files: plans.flatMap((plan) => plan.files),
    daemons: plans.flatMap((plan) => plan.daemons),
    tasks: plans.flatMap((plan) => plan.tasks),
    saves: plans.flatMap((plan) => plan.saves),
    ...plans.map(({ decommission }) => decommission && { decommission }).find(Boolean),
    env: Object.assign({}, ...plans.map((plan) => plan.env), commonEnvironment(facts)) as Record<string, string>,
    path: [
      ...new Set([
        join(facts.layout.home, ".local", "bin"),
        pythonBin(facts),
        ...plans.flatMap((plan) => plan.path),
        join(installation.nodeJavaHome, "bin"),
        installation.toolsBin,
        ...systemPath,
      ]),
    ],
    logs: plans.flatMap((plan) => plan.logs),
  };
}

/** What any node of the cluster needs. What is the node's own (its address, preload library, credentials) its agent adds: agent/context.ts. */
function commonEnvironment({ cluster, installation }: NodeFacts): Record<string, string> {
  return {
    JAVA_HOME: installation.nodeJavaHome,
    // What JAVA_HOME's `java` (java/java) goes by.
    ...(cluster.quickJvms && { HOWDAH_JVM: "quick" }),
    PYSPARK_PYTHON: "python3",
    AWS_ENDPOINT_URL: cluster.endpoint,
    AWS_REGION: cluster.region,
    AWS_DEFAULT_REGION: cluster.region,
  };
}
