/**
 * Instance fleets of RunJobFlow and AddInstanceFleet, checked. Rules: the API reference of InstanceFleetConfig and of its parts, and the EMR Management Guide,
 * "Configure instance fleets". Each function throws ValidationException, naming the member, for what EMR would refuse.
 */
import type {
  InstanceFleetConfig,
  InstanceFleetProvisioningSpecifications,
  InstanceFleetResizingSpecifications,
  InstanceTypeConfig,
  JobFlowInstancesConfig,
} from "@aws-sdk/client-emr";
import type { NodeRole } from "../../agent/manifest.ts";
import { validationException } from "../../aws/errors.ts";
import type { Configuration } from "../../engines/engine.ts";
import { instanceType } from "../../releases/instance-types.ts";
import { type Fleet, type FleetType, plannedTypes } from "../../store/fleets.ts";
import { checkEbs } from "./ebs-input.ts";
import { sortOutFleet } from "./fleet-parameters.ts";
import { checkPrice, ebsOf, type CollectionInput, mostInstances, type Settings, spotWarnings } from "./instance-groups-input.ts";

export const mostTypes = 5;
const mostTypesWithStrategy = 30;
/** EC2's own, of its fleets. */
const largestWeight = 999;
const [shortestTimeout, longestProvisioning, longestResize] = [5, 1440, 10_080];

export interface FleetInput extends CollectionInput {
  fleet: Fleet;
}

/** Of RunJobFlow: one of the master, and at most one of core and of task nodes. */
export function readFleets({ InstanceFleets: configs = [] }: Partial<JobFlowInstancesConfig>): FleetInput[] {
  const at = "Instances.InstanceFleets";
  const fleets = configs.map((config, index) => readFleet(config, `${at}[${index}].`));
  for (const role of ["MASTER", "CORE", "TASK"] as const) {
    const count = fleets.filter((fleet) => fleet.role === role).length;
    if (role === "MASTER" && count === 0)
      throw validationException(`${at}: Zero master instance fleets supplied, you must specify exactly one.`);
    if (count > 1) throw validationException(`${at}: ${count} fleets have InstanceFleetType ${role}: a cluster has at most one of each.`);
  }
  const all = fleets.map(({ fleet }) => fleet);
  for (const [index, fleet] of all.entries()) checkTypeCount(fleet, all, `${at}[${index}].`);
  const count = (role: NodeRole) => fleets.find((fleet) => fleet.role === role)?.count ?? 0;
  if (count("TASK") > 0 && count("CORE") === 0) throw validationException(`${at}: Clusters with task nodes must also define core nodes.`);
  const sum = count("MASTER") + count("CORE") + count("TASK");
  if (sum > mostInstances)
    throw validationException(
      `${at}: these capacities take ${sum} instances, which do not fit one host's network; at most ${mostInstances}.`,
    );
  return fleets;
}

export function readFleet(config: InstanceFleetConfig, at: string): FleetInput {
  const role = config.InstanceFleetType;
  if (role !== "MASTER" && role !== "CORE" && role !== "TASK")
    throw validationException(`${at}InstanceFleetType must be MASTER, CORE or TASK.`);
  const [onDemand, spot] = [config.TargetOnDemandCapacity ?? 0, config.TargetSpotCapacity ?? 0];
  const warnings = [...sortOutFleet(config), ...spotWarnings(role, spot > 0)];
  checkTargets(role, onDemand, spot, at);
  const configs = config.InstanceTypeConfigs ?? [];
  const types = readTypes(configs, role, at);
  const launch = readLaunch(config.LaunchSpecifications, `${at}LaunchSpecifications`);
  const fleet: Fleet = {
    onDemand,
    spot,
    types,
    offered: [...types.keys()],
    launch,
    resize: readResize(config.ResizeSpecifications, `${at}ResizeSpecifications`),
    context: config.Context ?? null,
    founding: [],
  };
  const planned = plannedTypes(fleet);
  return {
    role,
    count: planned.length,
    settings: settingsOf(configs, at),
    hasEbs: types.some(({ ebs }) => ebs !== null),
    autoScalingPolicy: null,
    warnings,
    fleet,
    columns: (configurations, isFounding) => ({
      role,
      name: config.Name ?? { MASTER: "Master", CORE: "Core", TASK: "Task" }[role],
      founding_count: isFounding ? planned.length : 0,
      fleet: { ...fleet, types: withConfigurations(types, configurations), founding: isFounding ? planned : [] },
    }),
  };
}

export const settingsOf = (configs: readonly InstanceTypeConfig[], at: string): Settings[] =>
  configs.map(({ Configurations: wire }, index) => ({ wire, at: `${at}InstanceTypeConfigs[${index}].Configurations` }));

export const withConfigurations = (types: readonly FleetType[], configurations: readonly Configuration[][]): FleetType[] =>
  types.map((type, index) => ({ ...type, configurations: configurations[index] ?? [] }));

/** The master is one instance. Task nodes may come later. */
export function checkTargets(role: NodeRole, onDemand: number, spot: number, at: string): void {
  for (const [name, units] of Object.entries({ TargetOnDemandCapacity: onDemand, TargetSpotCapacity: spot }))
    if (units < 0) throw validationException(`${at}${name} must be at least 0, not ${units}.`);
  if (role === "MASTER" && !(onDemand + spot === 1))
    throw validationException(
      `${at}: of the MASTER fleet, either TargetOnDemandCapacity or TargetSpotCapacity must be 1, and the other 0; not ${onDemand} and ${spot}.`,
    );
  if (role === "CORE" && onDemand + spot === 0)
    throw validationException(`${at}: at least one of TargetOnDemandCapacity and TargetSpotCapacity of the CORE fleet must be above 0.`);
}

/** With allocation strategies, which all fleets of the cluster must have then, a fleet may have more types. `all`: the cluster's fleets. */
export function checkTypeCount(fleet: Fleet, all: readonly Fleet[], at: string): void {
  const most = all.every(hasStrategy) ? mostTypesWithStrategy : mostTypes;
  if (fleet.offered.length > most)
    throw validationException(
      `${at}InstanceTypeConfigs: at most ${most} instance types, not ${fleet.offered.length}.${most === mostTypes ? ` Up to ${mostTypesWithStrategy} where LaunchSpecifications of all of the cluster's fleets have an AllocationStrategy.` : ""}`,
    );
}

const hasStrategy = ({ onDemand, spot, launch }: Fleet): boolean =>
  (onDemand === 0 || launch?.OnDemandSpecification !== undefined) &&
  (spot === 0 || launch?.SpotSpecification?.AllocationStrategy !== undefined);

/** Their configurations are still to be read. */
export function readTypes(configs: readonly InstanceTypeConfig[], role: NodeRole, at: string): FleetType[] {
  if (configs.length === 0) throw validationException(`${at}InstanceTypeConfigs: at least one instance type is required.`);
  const names = new Set<string>();
  return configs.map((config, index) => {
    const where = `${at}InstanceTypeConfigs[${index}].`;
    const name = config.InstanceType ?? "";
    if (!instanceType(name)) throw validationException(`${where}InstanceType: Instance type '${name}' is not supported.`);
    if (names.has(name)) throw validationException(`${where}InstanceType: '${name}' is there twice: a fleet has a type once.`);
    names.add(name);
    const {
      WeightedCapacity: weight = 1,
      BidPrice: bidPrice,
      BidPriceAsPercentageOfOnDemandPrice: percentage,
      Priority: priority,
    } = config;
    if (role === "MASTER" && weight !== 1)
      throw validationException(`${where}WeightedCapacity must be 1 in the MASTER fleet, not ${weight}.`);
    if (weight < 1 || weight > largestWeight)
      throw validationException(`${where}WeightedCapacity must be from 1 to ${largestWeight}, not ${weight}.`);
    if (bidPrice !== undefined && percentage !== undefined)
      throw validationException(
        `${where}: Specify at most one of bidPrice or bidPriceAsPercentageOfOnDemandPrice value for the Spot Instance fleet.`,
      );
    if (bidPrice !== undefined) checkPrice(bidPrice, where);
    if (percentage !== undefined && percentage <= 0)
      throw validationException(`${where}BidPriceAsPercentageOfOnDemandPrice must be above 0, not ${percentage}.`);
    if (priority !== undefined && priority < 0) throw validationException(`${where}Priority must be at least 0, not ${priority}.`);
    if (config.EbsConfiguration) checkEbs(config.EbsConfiguration, `${where}EbsConfiguration`);
    return {
      instanceType: name,
      weight,
      priority: priority ?? null,
      bidPrice: bidPrice ?? null,
      // The API reference: "If neither … is provided, BidPriceAsPercentageOfOnDemandPrice defaults to 100%."
      bidPercentage: percentage ?? (bidPrice === undefined ? 100 : null),
      configurations: [],
      ebs: ebsOf(config),
    };
  });
}

function readLaunch(launch: InstanceFleetProvisioningSpecifications | undefined, at: string): Fleet["launch"] {
  const { SpotSpecification: spot, OnDemandSpecification: onDemand } = launch ?? {};
  if (!launch || (!spot && !onDemand)) return null;
  if (onDemand && !onDemand.AllocationStrategy)
    throw validationException(`${at}.OnDemandSpecification.AllocationStrategy is required: lowest-price or prioritized.`);
  if (spot) {
    const where = `${at}.SpotSpecification`;
    const minutes = spot.TimeoutDurationMinutes;
    if (minutes === undefined) throw validationException(`${where}.TimeoutDurationMinutes is required.`);
    if (!spot.TimeoutAction) throw validationException(`${where}.TimeoutAction is required: SWITCH_TO_ON_DEMAND or TERMINATE_CLUSTER.`);
    checkMinutes(minutes, longestProvisioning, where);
  }
  return launch;
}

export function readResize(resize: InstanceFleetResizingSpecifications | undefined, at: string): Fleet["resize"] {
  const parts = Object.entries(resize ?? {}).filter(([, part]) => part !== undefined);
  for (const [name, part] of parts)
    if (part?.TimeoutDurationMinutes !== undefined) checkMinutes(part.TimeoutDurationMinutes, longestResize, `${at}.${name}`);
  return resize && parts.length > 0 ? resize : null;
}

function checkMinutes(minutes: number, longest: number, at: string): void {
  if (minutes < shortestTimeout || minutes > longest)
    throw validationException(`${at}.TimeoutDurationMinutes must be from ${shortestTimeout} to ${longest}, not ${minutes}.`);
}
