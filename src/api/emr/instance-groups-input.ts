/** Instances of RunJobFlow, in each of its spellings; groups of AddInstanceGroups. */
import type {
  AutoScalingPolicy,
  EbsConfiguration,
  InstanceGroupConfig,
  JobFlowInstancesConfig,
  Configuration as WireConfiguration,
} from "@aws-sdk/client-emr";
import type { NodeRole } from "../../agent/manifest.ts";
import { validationException } from "../../aws/errors.ts";
import type { Configuration } from "../../engines/engine.ts";
import { instanceType } from "../../releases/instance-types.ts";
import type { NewGroup } from "../../store/instances.ts";
import { checkEbs } from "./ebs-input.ts";
import { readFleets } from "./fleets-input.ts";

/** Configurations, and what their client calls them. */
export interface Settings {
  wire: readonly WireConfiguration[] | undefined;
  at: string;
}

/** A group or a fleet that is asked for. */
export interface CollectionInput {
  role: NodeRole;
  /** Instances that it begins with. */
  count: number;
  /** Of a fleet, those of each type. */
  settings: readonly Settings[];
  hasEbs: boolean;
  autoScalingPolicy: AutoScalingPolicy | null;
  warnings: readonly string[];
  /** Its row. `configurations`: as `settings` were read. `isFounding`: its cluster is created with it. */
  columns(configurations: readonly Configuration[][], isFounding: boolean): WithoutIds<NewGroup>;
}

type WithoutIds<Row> = Row extends unknown ? Omit<Row, "id" | "cluster_id"> : never;

export interface GroupInput extends CollectionInput {
  instanceType: string;
}

export const mostTaskGroups = 48;
/** Addresses of a /24; the cluster's network. */
export const mostInstances = 250;

/** The groups or the fleets of RunJobFlow. Throws ValidationException, naming the field, for what EMR would refuse. */
export function readCollections(instances: Partial<JobFlowInstancesConfig>): CollectionInput[] {
  const short = instances.MasterInstanceType ?? instances.SlaveInstanceType ?? instances.InstanceCount;
  const kinds = [instances.InstanceGroups?.length, instances.InstanceFleets?.length, short !== undefined];
  if (kinds.filter(Boolean).length > 1)
    throw validationException(
      "Instances: Please configure instances using one and only one of the following: instance groups; instance fleets; instance count, master and slave instance type.",
    );
  return instances.InstanceFleets?.length ? readFleets(instances) : readGroups(instances);
}

function readGroups(instances: Partial<JobFlowInstancesConfig>): GroupInput[] {
  const groups = instances.InstanceGroups?.length
    ? instances.InstanceGroups.map((group, index) => readGroup(group, `Instances.InstanceGroups[${index}].`))
    : readShort(instances);

  const withRole = (role: NodeRole) => groups.filter((group) => group.role === role);
  const [master, second] = withRole("MASTER");
  if (!master || second)
    throw validationException(
      `Instances.InstanceGroups: ${master ? "Multiple" : "Zero"} master instance groups supplied, you must specify exactly one master instance group.`,
    );
  if (master.count !== 1)
    throw validationException(
      `Instances.InstanceGroups: ${master.count} master nodes are not in Howdah yet; the MASTER group's InstanceCount must be 1.`,
    );
  if (withRole("CORE").length > 1) throw validationException("Instances.InstanceGroups: at most one group may have InstanceRole CORE.");
  if (withRole("TASK").length > mostTaskGroups)
    throw validationException(`Instances.InstanceGroups: at most ${mostTaskGroups} groups may have InstanceRole TASK.`);
  const core = withRole("CORE")[0]?.count ?? 0;
  const task = withRole("TASK").reduce((sum, group) => sum + group.count, 0);
  if (task > 0 && core === 0) throw validationException("Instances.InstanceGroups: Clusters with task nodes must also define core nodes.");
  if (1 + core + task > mostInstances)
    throw validationException(`Instances: ${1 + core + task} instances do not fit one host's network; at most ${mostInstances}.`);
  return groups;
}

function readShort(instances: Partial<JobFlowInstancesConfig>): GroupInput[] {
  const { MasterInstanceType, SlaveInstanceType, InstanceCount = 1 } = instances;
  if (!MasterInstanceType) throw validationException("Instances: InstanceGroups, InstanceFleets or MasterInstanceType is required.");
  if (InstanceCount < 1) throw validationException("Instances.InstanceCount must be at least 1.");
  if (InstanceCount > 1 && !SlaveInstanceType)
    throw validationException("Instances.SlaveInstanceType is required when InstanceCount is above 1.");
  const group = (role: "MASTER" | "CORE", type: string, count: number) =>
    readGroup({ InstanceRole: role, InstanceType: type, InstanceCount: count }, `Instances.${role === "MASTER" ? "Master" : "Slave"}`);
  const groups = [group("MASTER", MasterInstanceType, 1)];
  if (InstanceCount > 1 && SlaveInstanceType) groups.push(group("CORE", SlaveInstanceType, InstanceCount - 1));
  return groups;
}

/** `at` is what the client wrote before the names of the members: in the short spelling it is Instances.MasterInstanceType that is wrong. */
export function readGroup(config: InstanceGroupConfig, at: string): GroupInput {
  const role = config.InstanceRole;
  if (role !== "MASTER" && role !== "CORE" && role !== "TASK") throw validationException(`${at}InstanceRole must be MASTER, CORE or TASK.`);
  if (config.AutoScalingPolicy && role === "MASTER")
    throw validationException(`${at}AutoScalingPolicy: core and task groups may have an automatic scaling policy, the master's may not.`);
  if (config.CustomAmiId)
    throw validationException(`${at}CustomAmiId: nodes are made of the host's own system, not of an AMI. Use a bootstrap action instead.`);
  const type = config.InstanceType ?? "";
  if (!instanceType(type)) throw validationException(`${at}InstanceType: Instance type '${type}' is not supported.`);
  const count = config.InstanceCount ?? 0;
  if (count < (role === "TASK" ? 0 : 1)) throw validationException(`${at}InstanceCount must be at least ${role === "TASK" ? 0 : 1}.`);
  checkBidPrice(config, at);
  if (config.EbsConfiguration) checkEbs(config.EbsConfiguration, `${at}EbsConfiguration`);
  const ebs = ebsOf(config);
  return {
    role,
    count,
    settings: [{ wire: config.Configurations, at: `${at}Configurations` }],
    hasEbs: ebs !== null,
    autoScalingPolicy: config.AutoScalingPolicy ?? null,
    warnings: spotWarnings(role, config.Market === "SPOT"),
    instanceType: type,
    columns: ([configurations = []], isFounding) => ({
      fleet: null,
      role,
      name: config.Name ?? { MASTER: "Master", CORE: "Core", TASK: "Task" }[role],
      market: config.Market ?? "ON_DEMAND",
      bid_price: config.BidPrice ?? null,
      instance_type: type,
      requested_count: count,
      founding_count: isFounding ? count : 0,
      configurations,
      ebs,
    }),
  };
}

/** What is lost when EC2 takes such nodes back: the EMR Management Guide advises against them where partial data loss is not acceptable. */
export function spotWarnings(role: NodeRole, isSpot: boolean): string[] {
  if (!isSpot || role === "TASK") return [];
  return [
    role === "MASTER"
      ? "the master is a Spot Instance: when it is taken back the cluster ends, and all of HDFS's data with it"
      : "core nodes are Spot Instances: when they are taken back faster than HDFS can copy their blocks, part of its data is lost",
  ];
}

/** One that asks for nothing is none: the instances have the volumes that EMR gives their type. */
export function ebsOf({ EbsConfiguration: ebs }: Pick<InstanceGroupConfig, "EbsConfiguration">): EbsConfiguration | null {
  return ebs && ((ebs.EbsBlockDeviceConfigs ?? []).length > 0 || ebs.EbsOptimized !== undefined) ? ebs : null;
}

/** A price in USD, for spot instances only; without one the price is that of instances on demand. */
function checkBidPrice({ BidPrice: price, Market }: InstanceGroupConfig, at: string): void {
  if (price === undefined) return;
  if (Market !== "SPOT")
    throw validationException(`${at}BidPrice: Attempted to set bid price for on demand instance group: Market must be SPOT.`);
  checkPrice(price, at);
}

export function checkPrice(price: string, at: string): void {
  if (!/^\d+(\.\d+)?$/.test(price)) throw validationException(`${at}BidPrice: '${price}' is not a price in USD.`);
  if (Number(price) === 0) throw validationException(`${at}BidPrice: The bid price is negative or zero.`);
  if (/\.\d{4}/.test(price))
    throw validationException(`${at}BidPrice: No more than 3 digits are allowed after decimal place in bid price.`);
}
