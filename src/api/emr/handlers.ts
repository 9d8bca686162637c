/** What each operation of EMR's model does here: carried out, or not there yet and what to do instead. An operation that a new SDK brings does not compile until somebody has decided. */
import { notBuiltYet, validationException } from "../../aws/errors.ts";
import type { Handlers, OperationName } from "../../aws/operations.ts";
import type { emr } from "../../aws/services/emr.ts";
import { GetBlockPublicAccessConfiguration, PutBlockPublicAccessConfiguration } from "./block-public-access.ts";
import {
  DescribeCluster,
  ListClusters,
  ModifyCluster,
  SetKeepJobFlowAliveWhenNoSteps,
  SetTerminationProtection,
  SetUnhealthyNodeReplacement,
  SetVisibleToAllUsers,
  TerminateJobFlows,
} from "./clusters.ts";
import { GetClusterSessionCredentials } from "./cluster-session.ts";
import type { EmrContext, EmrRequest } from "./context.ts";
import { AddInstanceFleet, ModifyInstanceFleet } from "./instance-fleets.ts";
import { AddInstanceGroups, ModifyInstanceGroups } from "./instance-groups.ts";
import { ListBootstrapActions, ListInstanceFleets, ListInstanceGroups, ListInstances } from "./instances.ts";
import { DescribeJobFlows } from "./job-flows.ts";
import {
  GetAutoTerminationPolicy,
  GetManagedScalingPolicy,
  PutAutoScalingPolicy,
  PutAutoTerminationPolicy,
  PutManagedScalingPolicy,
  RemoveAutoScalingPolicy,
  RemoveAutoTerminationPolicy,
  RemoveManagedScalingPolicy,
} from "./policies.ts";
import { DescribeReleaseLabel, ListReleaseLabels, ListSupportedInstanceTypes } from "./releases.ts";
import { RunJobFlow } from "./run-job-flow.ts";
import {
  CreateSecurityConfiguration,
  DeleteSecurityConfiguration,
  DescribeSecurityConfiguration,
  ListSecurityConfigurations,
} from "./security-configurations.ts";
import { AddJobFlowSteps, CancelSteps, DescribeStep, ListSteps } from "./steps.ts";
import { AddTags, RemoveTags } from "./tags.ts";

type Operation = (context: EmrContext, input: never, request: EmrRequest) => Promise<unknown>;

/** `instead`: what a user does until it is there. */
export interface NotYet {
  instead: string;
}

const noStudio: NotYet = { instead: "EMR Studio is not in Howdah: submit steps, or work on the master with howdah ssh." };
const noNotebook: NotYet = { instead: "Notebooks are not in Howdah: submit a script as a step." };
const noAppUi: NotYet = {
  instead:
    "The applications' own pages answer at the addresses that howdah status shows, and howdah history serves those of ended clusters.",
};
const noSession: NotYet = { instead: "Spark Connect sessions need emr-spark-8.0.0 or newer, which is not in Howdah: submit a step." };

export const operations = {
  RunJobFlow,
  DescribeCluster,
  ListClusters,
  TerminateJobFlows,
  SetTerminationProtection,
  SetKeepJobFlowAliveWhenNoSteps,
  SetVisibleToAllUsers,
  SetUnhealthyNodeReplacement,
  ModifyCluster,
  DescribeJobFlows,
  GetClusterSessionCredentials,

  AddJobFlowSteps,
  CancelSteps,
  ListSteps,
  DescribeStep,

  ListInstances,
  ListInstanceGroups,
  AddInstanceGroups,
  ModifyInstanceGroups,
  ListInstanceFleets,
  AddInstanceFleet,
  ModifyInstanceFleet,
  ListBootstrapActions,

  PutAutoScalingPolicy,
  RemoveAutoScalingPolicy,
  PutManagedScalingPolicy,
  GetManagedScalingPolicy,
  RemoveManagedScalingPolicy,
  PutAutoTerminationPolicy,
  GetAutoTerminationPolicy,
  RemoveAutoTerminationPolicy,

  AddTags,
  RemoveTags,

  CreateSecurityConfiguration,
  DescribeSecurityConfiguration,
  ListSecurityConfigurations,
  DeleteSecurityConfiguration,
  GetBlockPublicAccessConfiguration,
  PutBlockPublicAccessConfiguration,

  ListReleaseLabels,
  DescribeReleaseLabel,
  ListSupportedInstanceTypes,

  CreateStudio: noStudio,
  DescribeStudio: noStudio,
  ListStudios: noStudio,
  UpdateStudio: noStudio,
  DeleteStudio: noStudio,
  CreateStudioSessionMapping: noStudio,
  GetStudioSessionMapping: noStudio,
  ListStudioSessionMappings: noStudio,
  UpdateStudioSessionMapping: noStudio,
  DeleteStudioSessionMapping: noStudio,
  StartNotebookExecution: noNotebook,
  DescribeNotebookExecution: noNotebook,
  ListNotebookExecutions: noNotebook,
  StopNotebookExecution: noNotebook,
  CreatePersistentAppUI: noAppUi,
  DescribePersistentAppUI: noAppUi,
  GetPersistentAppUIPresignedURL: noAppUi,
  GetOnClusterAppUIPresignedURL: noAppUi,
  StartSession: noSession,
  GetSession: noSession,
  GetSessionEndpoint: noSession,
  ListSessions: noSession,
  TerminateSession: noSession,
} satisfies Record<OperationName<typeof emr>, Operation | NotYet>;

export function emrHandlers(context: EmrContext): Handlers<typeof emr> {
  const bound = Object.entries(operations as Record<string, Operation | NotYet>).map(([name, operation]) => [
    name,
    async (input: never, request: EmrRequest) => {
      if (typeof operation !== "function") throw notBuiltYet("elasticmapreduce", name, operation.instead);
      refuseUnknown(name, request.unknownMembers);
      return operation(context, input, request);
    },
  ]);
  return Object.fromEntries(bound) as Handlers<typeof emr>;
}

/**
 * AWS ignores members that it does not know. Here they are members of a newer EMR, whose effect would be missed, so they are refused; but
 * RunJobFlow records them as warnings of its cluster, and what SDKs add by themselves is nothing that anybody asked for.
 */
function refuseUnknown(operation: string, members: readonly string[]): void {
  const refused = operation === "RunJobFlow" ? [] : members.filter((path) => !isAddedBySdks(path));
  if (refused.length > 0)
    throw validationException(`${refused.join(", ")}: not a parameter of ${operation} that this version knows. Leave it out.`);
}

/** Tokens of idempotency, which SDKs make up for members that their model marks so. */
const isAddedBySdks = (path: string): boolean => /^(Client(Request)?Token|IdempotencyToken)$/i.test(path);
