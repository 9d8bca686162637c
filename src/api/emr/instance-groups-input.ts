/** Instances of RunJobFlow, in either of its two spellings, as groups; groups of AddInstanceGroups. */
import type {
  AutoScalingPolicy,
  EbsConfiguration,
  InstanceGroupConfig,
  JobFlowInstancesConfig,
  Configuration as WireConfiguration,
} from "@aws-sdk/client-emr";
import type { NodeRole } from "../../agent/manifest.ts";
import { validationException } from "../../aws/errors.ts";
import { instanceType } from "../../releases/instance-types.ts";
import { checkEbs } from "./ebs-input.ts";

export interface GroupInput {
  role: NodeRole;
  name: string;
  market: "ON_DEMAND" | "SPOT";
  bidPrice: string | null;
  instanceType: string;
  count: number;
  configurations: readonly WireConfiguration[] | undefined;
  ebs: EbsConfiguration | null;
  autoScalingPolicy: AutoScalingPolicy | null;
}

/** What of a group is stored as its request says it. */
export const requestedColumns = (group: GroupInput) => ({
  role: group.role,
  name: group.name,
  market: group.market,
  bid_price: group.bidPrice,
  instance_type: group.instanceType,
  requested_count: group.count,
  ebs: group.ebs,
});

export const mostTaskGroups = 48;
/** Addresses of a /24; the cluster's network. */
export const mostInstances = 250;

/** Throws ValidationException, naming the field, for what EMR would refuse. */
export function readGroups(instances: Partial<JobFlowInstancesConfig>): GroupInput[] {
  const short = instances.MasterInstanceType ?? instances.SlaveInstanceType ?? instances.InstanceCount;
  if (instances.InstanceGroups?.length && short !== undefined)
    throw validationException(
      "Instances: Please configure instances using one and only one of the following: instance groups; instance fleets; instance count, master and slave instance type.",
    );
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
  if (!MasterInstanceType) throw validationException("Instances: either InstanceGroups or MasterInstanceType is required.");
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
  return {
    role,
    name: config.Name ?? { MASTER: "Master", CORE: "Core", TASK: "Task" }[role],
    market: config.Market ?? "ON_DEMAND",
    bidPrice: config.BidPrice ?? null,
    instanceType: type,
    count,
    configurations: config.Configurations,
    ebs: ebsOf(config),
    autoScalingPolicy: config.AutoScalingPolicy ?? null,
  };
}

/** One that asks for nothing is none: the group has the volumes that EMR gives its type. */
function ebsOf({ EbsConfiguration: ebs }: InstanceGroupConfig): EbsConfiguration | null {
  return ebs && ((ebs.EbsBlockDeviceConfigs ?? []).length > 0 || ebs.EbsOptimized !== undefined) ? ebs : null;
}

/** A price in USD, for spot instances only; without one the price is that of instances on demand. */
function checkBidPrice({ BidPrice: price, Market }: InstanceGroupConfig, at: string): void {
  if (price === undefined) return;
  if (Market !== "SPOT")
    throw validationException(`${at}BidPrice: Attempted to set bid price for on demand instance group: Market must be SPOT.`);
  if (!/^\d+(\.\d+)?$/.test(price)) throw validationException(`${at}BidPrice: '${price}' is not a price in USD.`);
  if (Number(price) === 0) throw validationException(`${at}BidPrice: The bid price is negative or zero.`);
  if (/\.\d{4}/.test(price))
    throw validationException(`${at}BidPrice: No more than 3 digits are allowed after decimal place in bid price.`);
}
