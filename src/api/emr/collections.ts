/** A cluster has groups or fleets, and what is for the one is refused for the other, in EMR's words. */
import { invalidRequest, validationException } from "../../aws/errors.ts";
import { type ClusterRow, isEnding } from "../../store/clusters.ts";

const exclusive = (other: "groups" | "fleets", has: "groups" | "fleets", hint: string) =>
  invalidRequest(
    `Instance ${has} and instance ${other} are mutually exclusive. The EMR cluster specified in the request uses instance ${has}. ${hint}`,
    has === "fleets" ? "API_DOES_NOT_SUPPORT_INSTANCE_FLEET_CLUSTERS" : "API_DOES_NOT_SUPPORT_INSTANCE_GROUP_CLUSTERS",
  );

export const usesGroups = (hint: string) => exclusive("fleets", "groups", hint);
export const usesFleets = (hint: string) => exclusive("groups", "fleets", hint);

/** Throws ValidationException. `what`: the beginning of the sentence that says so. */
export function mustBeInUse(cluster: ClusterRow, what: string): void {
  if (cluster.phase !== "ready" || isEnding(cluster)) throw validationException(`${what} when the cluster is running or waiting.`);
}

const useInstead = (operation: string, has: string, instead: string) =>
  `The ${operation} operation does not support clusters that use instance ${has}. Use the ${instead} operation instead.`;

/** Throws InvalidRequestException. `instead`: what does the same of fleets. */
export function mustHaveGroups({ spec }: ClusterRow, operation: string, instead: string): void {
  if (spec.hasFleets) throw usesFleets(useInstead(operation, "fleets", instead));
}

/** Throws InvalidRequestException. `instead`: what does the same of groups. */
export function mustHaveFleets({ spec }: ClusterRow, operation: string, instead: string): void {
  if (!spec.hasFleets) throw usesGroups(useInstead(operation, "groups", instead));
}
