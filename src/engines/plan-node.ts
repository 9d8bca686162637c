/** What a node must be, for all engines of its cluster: the part of a manifest that is about software. */
import { join } from "node:path";
import { credentialsPort } from "../agent/layout.ts";
import type { EnginePlan, NodeFacts } from "./engine.ts";
import { enginesFor } from "./index.ts";

/** Folders of the machine that a node's PATH ends with. */
const systemPath = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];

/** Pure: the same facts give the same plan. */
export function planNode(facts: NodeFacts): EnginePlan {
  const { installation } = facts;
  const plans = enginesFor(facts.cluster.applications).map((engine) => engine.plan(facts));
  return {
    files: plans.flatMap((plan) => plan.files),
    daemons: plans.flatMap((plan) => plan.daemons),
    tasks: plans.flatMap((plan) => plan.tasks),
    env: Object.assign({}, ...plans.map((plan) => plan.env), commonEnvironment(facts)) as Record<string, string>,
    path: [
      ...new Set([...plans.flatMap((plan) => plan.path), join(installation.nodeJavaHome, "bin"), installation.toolsBin, ...systemPath]),
    ],
    logs: plans.flatMap((plan) => plan.logs),
  };
}

function commonEnvironment({ cluster, address, layout, installation }: NodeFacts): Record<string, string> {
  return {
    JAVA_HOME: installation.nodeJavaHome,
    PYSPARK_PYTHON: installation.python,
    LD_PRELOAD: installation.native.preload,
    HOWDAH_NODE_IP: address,
    AWS_ENDPOINT_URL: cluster.endpoint,
    AWS_REGION: cluster.region,
    AWS_DEFAULT_REGION: cluster.region,
    AWS_CONTAINER_CREDENTIALS_FULL_URI: `http://${address}:${credentialsPort}/`,
    AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: layout.credentialsToken,
  };
}
