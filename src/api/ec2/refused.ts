/** Operations on instances that mean nothing here: each says why, and what to do instead. */
import { unsupported } from "./errors.ts";

const refuse = (why: string) => (): never => {
  throw unsupported(why);
};

const nodesOnly = "Howdah's instances are the nodes of EMR clusters";

export const RunInstances = refuse(`RunInstances: ${nodesOnly}. Use elasticmapreduce:RunJobFlow.`);
export const StopInstances = refuse(
  `StopInstances: ${nodesOnly}, which cannot be stopped and started. Use TerminateInstances, or terminate the cluster.`,
);
export const StartInstances = refuse(`StartInstances: ${nodesOnly}, which run from the first to the last.`);
export const RebootInstances = refuse(`RebootInstances: ${nodesOnly}, which have no kernel of their own to start again.`);
export const ModifyInstanceAttribute = refuse(
  `ModifyInstanceAttribute: ${nodesOnly}, which are as their clusters make them. Termination protection is the cluster's: use SetTerminationProtection.`,
);
