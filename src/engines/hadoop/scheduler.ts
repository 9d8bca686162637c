/** YARN's scheduler as the user chose it, and what of the choice cannot work. */
import type { Configuration } from "../engine.ts";
import { type Properties, propertiesOf } from "../settings.ts";

const capacity = "org.apache.hadoop.yarn.server.resourcemanager.scheduler.capacity.CapacityScheduler";

/** In EMR's yarn-site: where application masters go that say nothing themselves. */
export const emrAmLabel = "yarn.node-labels.am.default-node-label-expression";

const yarnSite = (configurations: readonly Configuration[]) => propertiesOf(configurations, "yarn-site");

const schedulerClass = (own: Properties): string => own["yarn.resourcemanager.scheduler.class"] ?? capacity;

/** `own`: the user's yarn-site. */
export const isCapacity = (own: Properties) => schedulerClass(own) === capacity;

/** Labels are off unless a user asks for them, as in EMR since 6.0, and only the capacity scheduler knows them. */
export function hasNodeLabels(configurations: readonly Configuration[]): boolean {
  const own = yarnSite(configurations);
  return own["yarn.node-labels.enabled"] === "true" && isCapacity(own);
}

/** Of configurations as a node gets them, the group's over the cluster's. */
export function schedulerWarnings(configurations: readonly Configuration[]): string[] {
  const own = yarnSite(configurations);
  const warnings: string[] = [];
  if (own["yarn.node-labels.enabled"] === "true" && !isCapacity(own))
    warnings.push(
      `yarn-site: yarn.node-labels.enabled has no effect under ${schedulerClass(own).split(".").at(-1)}: only the capacity scheduler knows node labels. Application masters run on any node, task nodes too`,
    );
  if (!isCapacity(own) && Object.keys(propertiesOf(configurations, "capacity-scheduler")).length > 0)
    warnings.push(`capacity-scheduler has no effect under ${schedulerClass(own).split(".").at(-1)}`);
  if (hasNodeLabels(configurations)) warnings.push(...labelWarnings(own, propertiesOf(configurations, "capacity-scheduler")));
  return warnings;
}

/** Application masters wait for ever for a label that no node has, or that their queue has no share of. */
function labelWarnings(own: Properties, queues: Properties): string[] {
  const label = own[emrAmLabel] ?? "CORE";
  const warnings: string[] = [];
  if (label !== "CORE" && label !== "")
    warnings.push(
      `yarn-site: ${emrAmLabel} is ${label}, but nodes have the label CORE or none: application masters wait until you add that label (yarn rmadmin)`,
    );
  const names = (queues["yarn.scheduler.capacity.root.queues"] ?? "default").split(",").map((name) => name.trim());
  const without = names.filter(
    (name) => name !== "default" && queues[`yarn.scheduler.capacity.root.${name}.accessible-node-labels.CORE.capacity`] === undefined,
  );
  if (label === "CORE" && without.length > 0)
    warnings.push(
      `capacity-scheduler: with node labels, each queue needs a share of them: set yarn.scheduler.capacity.root.${without[0]}.accessible-node-labels.CORE.capacity${without.length > 1 ? ` (and that of ${without.slice(1).join(", ")})` : ""}, or its application masters wait for ever`,
    );
  return warnings;
}
