/**
 * What EMR demands of policies beyond the model, from the API reference of AutoScalingPolicy, ManagedScalingPolicy and AutoTerminationPolicy.
 * Each function returns the policy with EMR's defaults filled in, and throws ValidationException, naming the member.
 */
import type {
  AutoScalingPolicy,
  AutoTerminationPolicy,
  ComputeLimits,
  ManagedScalingPolicy,
  RunJobFlowInput,
  ScalingRule,
} from "@aws-sdk/client-emr";
import type { NodeRole } from "../../agent/manifest.ts";
import { validationException } from "../../aws/errors.ts";

/** Those that RunJobFlow attaches to the cluster. An automatic scaling policy of a group needs a role, and excludes managed scaling. */
export function readJobFlowPolicies(input: RunJobFlowInput) {
  const { ManagedScalingPolicy: scaling, AutoTerminationPolicy: termination, AutoScalingRole: role } = input;
  for (const [index, { AutoScalingPolicy }] of (input.Instances?.InstanceGroups ?? []).entries()) {
    if (!AutoScalingPolicy) continue;
    const at = `Instances.InstanceGroups[${index}].AutoScalingPolicy`;
    if (!role) throw validationException(`${at}: the cluster needs an AutoScalingRole, which an automatic scaling policy acts as.`);
    if (scaling)
      throw validationException(`${at}: a cluster may have only one kind, and ManagedScalingPolicy is given. Leave one of them out.`);
  }
  return {
    managed_scaling_policy: scaling ? readManagedScalingPolicy(scaling, (input.Instances?.InstanceFleets ?? []).length > 0) : null,
    auto_termination_policy: termination ? readAutoTerminationPolicy(termination) : null,
  };
}

const defaultIdleTimeout = 3600;
const [shortestIdleTimeout, longestIdleTimeout] = [60, 604_800];

export function readAutoTerminationPolicy({ IdleTimeout = defaultIdleTimeout }: AutoTerminationPolicy): AutoTerminationPolicy {
  if (IdleTimeout < shortestIdleTimeout || IdleTimeout > longestIdleTimeout)
    throw validationException(
      `AutoTerminationPolicy.IdleTimeout must be from ${shortestIdleTimeout} to ${longestIdleTimeout} seconds, not ${IdleTimeout}.`,
    );
  return { IdleTimeout };
}

const performanceIndexes = [1, 25, 50, 75, 100];

export function readManagedScalingPolicy(policy: ManagedScalingPolicy, hasFleets: boolean): ManagedScalingPolicy {
  const { ComputeLimits: limits, ScalingStrategy, UtilizationPerformanceIndex: index } = policy;
  if (!limits) throw validationException("ManagedScalingPolicy.ComputeLimits is required.");
  checkLimits(limits, hasFleets);
  if (index !== undefined && ScalingStrategy !== "ADVANCED")
    throw validationException("ManagedScalingPolicy.UtilizationPerformanceIndex may be set only with ScalingStrategy ADVANCED.");
  if (index !== undefined && !performanceIndexes.includes(index))
    throw validationException(
      `ManagedScalingPolicy.UtilizationPerformanceIndex must be one of ${performanceIndexes.join(", ")}, not ${index}.`,
    );
  return policy;
}

/** Its first words are EMR's. */
function checkLimits(limits: ComputeLimits, hasFleets: boolean): void {
  const invalid = (why: string) => validationException(`Invalid configuration for managed scaling. ${why}`);
  const { UnitType, MinimumCapacityUnits: min = 0, MaximumCapacityUnits: max = 0 } = limits;
  const { MaximumOnDemandCapacityUnits: onDemand, MaximumCoreCapacityUnits: core } = limits;
  if ((UnitType === "InstanceFleetUnits") !== hasFleets)
    throw invalid(
      hasFleets
        ? `ComputeLimits.UnitType ${UnitType} is for clusters with instance groups: this one has instance fleets, so InstanceFleetUnits.`
        : "ComputeLimits.UnitType InstanceFleetUnits is for clusters with instance fleets: this one has instance groups, so Instances or VCPU.",
    );
  if (min < 1) throw invalid(`ComputeLimits.MinimumCapacityUnits must be at least 1, not ${min}.`);
  if (max < min) throw invalid(`The min capacity (${min}) cannot be higher than max capacity (${max}).`);
  if (onDemand !== undefined && (onDemand < 0 || onDemand > max))
    throw invalid(`The max On-Demand capacity must be from 0 to the max capacity (${max}), not ${onDemand}.`);
  if (core !== undefined && core > max) throw invalid("The max Core capacity cannot be higher than max capacity.");
  if (core !== undefined && core < 1) throw invalid(`The max Core capacity must be at least 1, not ${core}.`);
}

/** EMR's metrics come every five minutes. */
const emrNamespace = "AWS/ElasticMapReduce";
const emrPeriod = 300;

/** In dimensions `${emr.clusterId}` stands for the cluster; DescribeCluster shows what it stands for. */
export function readAutoScalingPolicy(policy: AutoScalingPolicy | undefined, clusterId: string, role: NodeRole): AutoScalingPolicy {
  const { MinCapacity: min = 0, MaxCapacity: max = 0 } = policy?.Constraints ?? {};
  const least = role === "CORE" ? 1 : 0;
  if (min < least)
    throw validationException(`AutoScalingPolicy.Constraints.MinCapacity must be at least ${least} for a ${role} group, not ${min}.`);
  if (max < min) throw validationException(`AutoScalingPolicy.Constraints.MaxCapacity (${max}) must not be below MinCapacity (${min}).`);
  const names = new Set<string>();
  const rules = (policy?.Rules ?? []).map((rule, index) => {
    const at = `AutoScalingPolicy.Rules[${index}]`;
    const name = rule.Name ?? "";
    if (name === "") throw validationException(`${at}.Name must not be empty.`);
    if (names.has(name)) throw validationException(`${at}.Name: '${name}' is another rule's: names must be unique within a policy.`);
    names.add(name);
    return readRule(rule, at, clusterId);
  });
  return { Constraints: { MinCapacity: min, MaxCapacity: max }, Rules: rules };
}

function readRule(rule: ScalingRule, at: string, clusterId: string): ScalingRule {
  const action = rule.Action?.SimpleScalingPolicyConfiguration;
  const { AdjustmentType = "CHANGE_IN_CAPACITY", ScalingAdjustment = 0, CoolDown = 0 } = action ?? {};
  const where = `${at}.Action.SimpleScalingPolicyConfiguration`;
  if (rule.Action?.Market)
    throw validationException(`${at}.Action.Market is not for instance groups, which have the market of their creation.`);
  if (AdjustmentType === "EXACT_CAPACITY" && ScalingAdjustment < 1)
    throw validationException(`${where}.ScalingAdjustment must be positive with AdjustmentType EXACT_CAPACITY, not ${ScalingAdjustment}.`);
  if (CoolDown < 0) throw validationException(`${where}.CoolDown must not be negative, as ${CoolDown} is.`);
  return {
    Name: rule.Name,
    Description: rule.Description ?? "",
    Action: { SimpleScalingPolicyConfiguration: { AdjustmentType, ScalingAdjustment, CoolDown } },
    Trigger: { CloudWatchAlarmDefinition: readAlarm(rule, `${at}.Trigger.CloudWatchAlarmDefinition`, clusterId) },
  };
}

function readAlarm(rule: ScalingRule, at: string, clusterId: string) {
  const alarm = rule.Trigger?.CloudWatchAlarmDefinition;
  const { EvaluationPeriods = 1, Namespace = emrNamespace, Period = 0, Statistic = "AVERAGE" } = alarm ?? {};
  const { Dimensions = [{ Key: "JobFlowId", Value: "${emr.clusterId}" }] } = alarm ?? {};
  if (EvaluationPeriods < 1) throw validationException(`${at}.EvaluationPeriods must be at least 1, not ${EvaluationPeriods}.`);
  if (Namespace === emrNamespace && Period !== emrPeriod)
    throw validationException(`${at}.Period must be ${emrPeriod} for metrics of ${emrNamespace}, not ${Period}.`);
  if (Period < 60 || Period % 60 !== 0) throw validationException(`${at}.Period must be a multiple of 60 seconds, not ${Period}.`);
  const resolved = Dimensions.map(({ Key, Value }) => ({ Key, Value: Value?.replaceAll(/\$\{emr\.clusterId\}/gi, clusterId) }));
  return { ...alarm, EvaluationPeriods, Namespace, Period, Statistic, Dimensions: resolved } as NonNullable<typeof alarm>;
}
