/** RunJobFlow: checks the request, fills in EMR's defaults, and writes the wish for a cluster down. */
import type { RunJobFlowInput } from "@aws-sdk/client-emr";
import { checkTogether, mergeConfigurations } from "../../engines/configurations.ts";
import { type ClusterSpec, insertCluster } from "../../store/clusters.ts";
import { addEvent, addWarnings } from "../../store/events.ts";
import { insertGroup, setAutoScalingPolicy } from "../../store/instances.ts";
import { insertSteps } from "../../store/steps.ts";
import { putTags } from "../../store/tags.ts";
import { checkPublicAccess } from "./block-public-access.ts";
import { ebsWarning } from "./ebs-input.ts";
import type { EmrContext, EmrRequest } from "./context.ts";
import { readEc2Attributes } from "./ec2-attributes.ts";
import { readExecutionRole } from "./execution-role.ts";
import { replicationOf } from "../../engines/hadoop/roles.ts";
import { readCollections } from "./instance-groups-input.ts";
import {
  hasOthersOnly,
  readApplications,
  readBootstrapActions,
  readCatalog,
  readConfigurations,
  readLogUri,
  readName,
} from "./job-flow-input.ts";
import { readRoles } from "./job-flow-roles.ts";
import { noScaling, sortOutInstances, sortOutParameters, withoutBlanks } from "./parameters.ts";
import { readAutoScalingPolicy, readJobFlowPolicies } from "./policies-input.ts";
import { readRelease } from "./releases.ts";
import { emrfsRoleWarnings, securityConfigurationFor } from "./security-configurations.ts";
import { clusterArn } from "./cluster-shapes.ts";
import { readStepConcurrencyLevel, readSteps, stepWarnings } from "./steps.ts";
import { checkTags } from "./tags.ts";

export async function RunJobFlow(context: EmrContext, input: RunJobFlowInput, request: EmrRequest) {
  const { store, ids, releases, jvm, volumes } = context;
  const instances = withoutBlanks(input.Instances ?? {});
  const warnings = [...sortOutParameters(input), ...sortOutInstances(instances)];
  const release = readRelease(input.ReleaseLabel, releases, warnings);
  const groups = readCollections(instances);
  warnings.push(...groups.flatMap((group) => group.warnings));
  const policies = readJobFlowPolicies(input);
  const applications = readApplications(input.Applications ?? [], release, releases.missingApplications, warnings);
  const configurations = readConfigurations(input.Configurations, "Configurations", applications, warnings);
  const groupConfigurations = groups.map(({ settings }) =>
    settings.map(({ wire, at }) => readConfigurations(wire, at, applications, warnings)),
  );
  const nodeConfigurations = groupConfigurations.flat().map((own) => mergeConfigurations(configurations, own));
  const names = applications.map(({ Name }) => Name);
  const usesCatalog = readCatalog([configurations, ...nodeConfigurations], release, names, request);
  for (const own of nodeConfigurations) warnings.push(...checkTogether(own, names));
  const stepConcurrencyLevel = readStepConcurrencyLevel(input.StepConcurrencyLevel ?? 1);
  const steps = readSteps(input.Steps ?? [], stepConcurrencyLevel);
  warnings.push(...stepWarnings(steps));
  checkTags(input.Tags ?? []);
  const hasFleets = (instances.InstanceFleets ?? []).length > 0;
  const core = groups.findIndex((group) => group.role === "CORE");
  const coreNodes = groups[core]?.count ?? 0;
  const ofCore = groupConfigurations[core] ?? [[]];
  if (coreNodes < 4 && ofCore.some((own) => replicationOf(mergeConfigurations(configurations, own), coreNodes) === 1))
    warnings.push(
      `HDFS keeps one copy of each block (EMR's default below 4 core nodes): what is in HDFS is lost with ${coreNodes === 0 ? "the" : "a"} node`,
    );
  if (groups.some(({ hasEbs }) => hasEbs)) warnings.push(ebsWarning(volumes === "loop"));
  for (const path of request.unknownMembers)
    warnings.push(`${path}: not a parameter of RunJobFlow that this version knows; it has no effect`);

  const spec: ClusterSpec = {
    name: readName(input.Name),
    releaseLabel: release.label,
    logUri: readLogUri(input.LogUri),
    applications,
    hadoopIsImplied: hasOthersOnly(input.Applications ?? []),
    configurations,
    bootstrapActions: readBootstrapActions(input.BootstrapActions ?? []),
    ...(usesCatalog && { usesCatalog }),
    ...(hasFleets && { hasFleets }),
    ...(jvm === "quick" && { quickJvms: true }),
    ...(volumes === "loop" && { loopVolumes: true }),
    shown: {
      AutoScalingRole: input.AutoScalingRole,
      ScaleDownBehavior: input.ScaleDownBehavior ?? "TERMINATE_AT_TASK_COMPLETION",
      EbsRootVolumeSize: input.EbsRootVolumeSize,
      EbsRootVolumeIops: input.EbsRootVolumeIops,
      EbsRootVolumeThroughput: input.EbsRootVolumeThroughput,
      RepoUpgradeOnBoot: input.RepoUpgradeOnBoot,
      OSReleaseLabel: input.OSReleaseLabel,
      PlacementGroups: input.PlacementGroupConfigs ?? [],
    },
  };

  const id = ids.cluster();
  const arn = clusterArn({ id, region: request.region, account_id: request.accountId });
  await store.transaction(async (tx) => {
    const attributes = await readEc2Attributes(tx, ids, instances, request);
    await checkPublicAccess(tx.db, request, attributes);
    const security = await securityConfigurationFor(tx.db, request, input.SecurityConfiguration);
    const roles = await readRoles(tx, context, input, request, arn);
    const { warnings: securityWarnings, ...secured } = security;
    warnings.push(...securityWarnings, ...roles.warnings);
    spec.shown.ServiceRole = roles.serviceRole;
    spec.shown.Ec2InstanceAttributes = { ...attributes, IamInstanceProfile: roles.instanceProfile };
    const cluster = { id, account_id: request.accountId, region: request.region, spec: { ...spec, ...secured } };
    warnings.push(...(await emrfsRoleWarnings(tx.db, cluster)));
    const executionRole = await readExecutionRole(tx.db, cluster, input.StepExecutionRoleArn, "StepExecutionRoleArn", request);
    await insertCluster(tx, {
      ...cluster,
      termination_protected: instances.TerminationProtected ? 1 : 0,
      keep_alive: instances.KeepJobFlowAliveWhenNoSteps ? 1 : 0,
      step_concurrency_level: stepConcurrencyLevel,
      visible_to_all_users: (input.VisibleToAllUsers ?? true) ? 1 : 0,
      extended_support: input.ExtendedSupport === undefined ? null : Number(input.ExtendedSupport),
      // On unless it is asked to be off, as in EMR.
      unhealthy_node_replacement: Number(instances.UnhealthyNodeReplacement ?? true),
      ...policies,
    });
    for (const [index, group] of groups.entries()) {
      const groupId = hasFleets ? ids.instanceFleet() : ids.instanceGroup();
      await insertGroup(tx, { id: groupId, cluster_id: id, ...group.columns(groupConfigurations[index] ?? [], true) });
      if (!group.autoScalingPolicy) continue;
      await setAutoScalingPolicy(tx, groupId, readAutoScalingPolicy(group.autoScalingPolicy, id, group.role));
      warnings.push(`AutoScalingPolicy of ${groupId} ${noScaling}`);
    }
    await insertSteps(
      tx,
      id,
      steps.map((step) => ({ id: ids.step(), spec: { ...step, ...executionRole } })),
    );
    await putTags(tx, id, input.Tags ?? []);
    await addEvent(tx, id, "cluster", `created by ${request.principal.arn}`);
    await addWarnings(tx, id, warnings);
    await tx.wake("cluster", id);
  });
  return { JobFlowId: id, ClusterArn: arn };
}
