/**
 * YARN node labels as EMR has them where a user enables them: core nodes have CORE, task nodes none, and application masters go to CORE, so that
 * a task node's end loses no application. Nodes name their own label (`distributed`); the ResourceManager knows it from its first start on.
 */
import { join } from "node:path";
import type { ManifestFile } from "../../agent/manifest.ts";
import type { NodeFacts } from "../engine.ts";
import { type Properties, propertiesOf } from "../settings.ts";
import { hasDataNode } from "./roles.ts";
import { emrAmLabel, hasNodeLabels } from "./scheduler.ts";

const label = "CORE";
const storeFolder = (facts: NodeFacts) => join(facts.layout.data, "yarn-node-labels");

/** For yarn-site, below what the user says. */
export function labelProperties(facts: NodeFacts): Properties {
  if (!hasNodeLabels(facts.configurations)) return {};
  const own = propertiesOf(facts.configurations, "yarn-site");
  return {
    "yarn.node-labels.configuration-type": "distributed",
    "yarn.node-labels.fs-store.root-dir": `file://${storeFolder(facts)}`,
    // EMR's YARN has a name of its own for it.
    "yarn.resourcemanager.node-labels.am.default-node-label-expression": own[emrAmLabel] ?? label,
    "yarn.nodemanager.node-labels.provider": "config",
    ...(hasDataNode(facts) ? { "yarn.nodemanager.node-labels.provider.configured-node-partition": label } : {}),
  };
}

/** For capacity-scheduler, below what the user says: EMR's own defaults with labels. */
export function labelQueues(facts: NodeFacts): Properties {
  if (!hasNodeLabels(facts.configurations)) return {};
  const root = "yarn.scheduler.capacity.root";
  return {
    [`${root}.accessible-node-labels`]: "*",
    [`${root}.accessible-node-labels.${label}.capacity`]: "100",
    [`${root}.default.accessible-node-labels`]: "*",
    [`${root}.default.accessible-node-labels.${label}.capacity`]: "100",
  };
}

/**
 * The ResourceManager's store (FileSystemNodeLabelsStore) with the label in it, not exclusive: what asks for no label may run on core nodes, too.
 * Written once, for it is the ResourceManager's afterwards (`yarn rmadmin -addToClusterNodeLabels`).
 */
export function labelStore(facts: NodeFacts): ManifestFile[] {
  if (!hasNodeLabels(facts.configurations)) return [];
  // AddToClusterNodeLabelsRequestProto, length first: { nodeLabels (2): { name (1): CORE, isExclusive (2): false } }. All bytes are below 128.
  const node = field(1, label) + "\x10\x00";
  const message = field(2, node);
  return [{ path: join(storeFolder(facts), "nodelabel.mirror"), content: String.fromCharCode(message.length) + message, once: true }];
}

/** A length-delimited field of a protobuf message; the value is shorter than 128 bytes. */
const field = (number: number, value: string) => String.fromCharCode(number * 8 + 2, value.length) + value;
