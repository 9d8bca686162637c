/** EMR's operations that are built. All others of the model answer that they are not there yet (src/api/pipeline.ts). */
import { validationException } from "../../aws/errors.ts";
import type { Handlers } from "../../aws/operations.ts";
import type { emr } from "../../aws/services/emr.ts";
import {
  DescribeCluster,
  ListClusters,
  ModifyCluster,
  SetKeepJobFlowAliveWhenNoSteps,
  SetTerminationProtection,
  SetVisibleToAllUsers,
  TerminateJobFlows,
} from "./clusters.ts";
import type { EmrContext, EmrRequest } from "./context.ts";
import { ListBootstrapActions, ListInstanceGroups, ListInstances } from "./instances.ts";
import { DescribeJobFlows } from "./job-flows.ts";
import { DescribeReleaseLabel, ListReleaseLabels, ListSupportedInstanceTypes } from "./releases.ts";
import { policies } from "./policies.ts";
import { RunJobFlow } from "./run-job-flow.ts";
import { AddJobFlowSteps, CancelSteps, DescribeStep, ListSteps } from "./steps.ts";
import { AddTags, RemoveTags } from "./tags.ts";

const operations = {
  RunJobFlow,
  DescribeCluster,
  ListClusters,
  TerminateJobFlows,
  SetTerminationProtection,
  SetKeepJobFlowAliveWhenNoSteps,
  SetVisibleToAllUsers,
  ModifyCluster,
  AddJobFlowSteps,
  CancelSteps,
  ListSteps,
  DescribeStep,
  ListInstances,
  ListInstanceGroups,
  ListBootstrapActions,
  AddTags,
  RemoveTags,
  DescribeJobFlows,
  ListReleaseLabels,
  DescribeReleaseLabel,
  ListSupportedInstanceTypes,
  ...policies,
};

type Operation = (context: EmrContext, input: never, request: EmrRequest) => Promise<unknown>;

export function emrHandlers(context: EmrContext): Handlers<typeof emr> {
  const bound = Object.entries(operations as Record<string, Operation>).map(([name, operation]) => [
    name,
    async (input: never, request: EmrRequest) => {
      // RunJobFlow records them as warnings of its cluster.
      if (name !== "RunJobFlow" && request.unknownMembers.length > 0)
        throw validationException(
          `${request.unknownMembers.join(", ")}: not a parameter of ${name} that this version knows. Leave it out.`,
        );
      return operation(context, input, request);
    },
  ]);
  return Object.fromEntries(bound) as Handlers<typeof emr>;
}
