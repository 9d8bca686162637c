/**
 * Where a cluster is, and with what: its subnet and zone, key pair and security groups, which must be there. Source: the API reference's
 * JobFlowInstancesConfig and Ec2InstanceAttributes; EMR Management Guide, "Control network traffic with security groups".
 */
import type { Ec2InstanceAttributes, JobFlowInstancesConfig } from "@aws-sdk/client-emr";
import { validationException } from "../../aws/errors.ts";
import { zonesOf } from "../../releases/zones.ts";
import { ensureEmrGroups } from "../../store/ec2-emr-groups.ts";
import { findKeyPair, findResource, listInVpc, type Subnet } from "../../store/ec2-resources.ts";
import { defaultVpc, ensureRegionIn, isPublic } from "../../store/ec2-vpcs.ts";
import type { Ids } from "../../store/ids.ts";
import type { Tx } from "../../store/store.ts";
import type { EmrRequest } from "./context.ts";

type Instances = Partial<JobFlowInstancesConfig>;

/** All but the instance profile. Makes EMR's security groups where the cluster needs them and the VPC has none. Throws ValidationException, naming the member. */
export async function readEc2Attributes(tx: Tx, ids: Ids, instances: Instances, request: EmrRequest): Promise<Ec2InstanceAttributes> {
  await ensureRegionIn(tx, ids, request);
  const { Ec2KeyName, Ec2SubnetId, Ec2SubnetIds = [] } = instances;
  // The public key is in its row (KeyPairSpec): what lets people in by ssh will put it on the nodes.
  if (Ec2KeyName && !(await findKeyPair(tx.db, request, Ec2KeyName)))
    throw validationException(
      `Instances.Ec2KeyName: The key pair '${Ec2KeyName}' does not exist in ${request.region}. Make it with EC2's CreateKeyPair or ImportKeyPair.`,
    );
  const subnet = await placeIn(tx, instances, request);
  const groups = await securityGroups(tx, ids, instances, subnet, request);
  return {
    Ec2KeyName,
    Ec2SubnetId: subnet.id,
    RequestedEc2SubnetIds: Ec2SubnetId ? [Ec2SubnetId] : Ec2SubnetIds,
    Ec2AvailabilityZone: subnet.spec.zone,
    RequestedEc2AvailabilityZones: instances.Placement?.AvailabilityZones ?? [],
    ...groups,
  };
}

/** AvailabilityZones are those of which one is chosen. */
const askedZones = ({ Placement: { AvailabilityZone, AvailabilityZones = [] } = {} }: Instances): string[] =>
  AvailabilityZone ? [AvailabilityZone] : AvailabilityZones;

/** The first subnet that is asked for, or the default one of the first zone that is, or of the region's first zone that has one. */
async function placeIn(tx: Tx, instances: Instances, request: EmrRequest): Promise<Subnet> {
  const zones = zonesOf(request.region).map(({ name }) => name);
  const asked = askedZones(instances);
  const unknown = [...asked, ...(instances.Placement?.AvailabilityZones ?? [])].find((zone) => !zones.includes(zone));
  if (unknown !== undefined)
    throw validationException(
      `Instances.Placement: '${unknown}' is not an availability zone of ${request.region}. It has: ${zones.join(", ")}.`,
    );
  const [subnet] = await askedSubnets(tx, instances, request);
  if (subnet) {
    if (asked.length > 0 && !asked.includes(subnet.spec.zone))
      throw validationException(
        `Instances.Placement: the subnet ${subnet.id} is in ${subnet.spec.zone}, not in ${asked.join(", ")}. A subnet implies its zone: leave Placement out.`,
      );
    return subnet;
  }
  const vpc = await defaultVpc(tx.db, request);
  const subnets = vpc ? await listInVpc(tx.db, request, "subnet", vpc.id) : [];
  const inZone = (zone: string) => subnets.find(({ spec }) => spec.isDefault && spec.zone === zone);
  const found = (asked.length > 0 ? asked : zones).map(inZone).find(Boolean);
  if (!found)
    throw validationException(
      `Instances.Ec2SubnetId: Subnet is required: ${request.region} has no default subnet ${asked.length > 0 ? `in ${asked.join(", ")} ` : ""}to launch instances in. Give one, or make it with EC2's CreateDefaultSubnet.`,
    );
  return found;
}

async function askedSubnets(tx: Tx, { Ec2SubnetId, Ec2SubnetIds = [] }: Instances, request: EmrRequest): Promise<Subnet[]> {
  if (Ec2SubnetId && Ec2SubnetIds.length > 0) throw validationException("Instances: Ec2SubnetId and Ec2SubnetIds exclude one another.");
  const member = Ec2SubnetId ? "Ec2SubnetId" : "Ec2SubnetIds";
  const found: Subnet[] = [];
  for (const id of Ec2SubnetId ? [Ec2SubnetId] : Ec2SubnetIds) {
    const subnet = await findResource(tx.db, request, "subnet", id);
    if (!subnet) throw validationException(`Instances.${member}: The subnet ID '${id}' does not exist in ${request.region}.`);
    if (found[0] && found[0].vpcId !== subnet.vpcId)
      throw validationException(`Instances.${member}: All subnets must be of one VPC, and ${id} is not of ${found[0].vpcId}.`);
    found.push(subnet);
  }
  return found;
}

type Groups = Pick<
  Ec2InstanceAttributes,
  | "EmrManagedMasterSecurityGroup"
  | "EmrManagedSlaveSecurityGroup"
  | "ServiceAccessSecurityGroup"
  | "AdditionalMasterSecurityGroups"
  | "AdditionalSlaveSecurityGroups"
>;

async function securityGroups(tx: Tx, ids: Ids, instances: Instances, subnet: Subnet, request: EmrRequest): Promise<Groups> {
  const { EmrManagedMasterSecurityGroup: master, EmrManagedSlaveSecurityGroup: slave, ServiceAccessSecurityGroup: service } = instances;
  const { AdditionalMasterSecurityGroups = [], AdditionalSlaveSecurityGroups = [] } = instances;
  const vpcId = subnet.vpcId ?? "";
  const known = new Set((await listInVpc(tx.db, request, "security-group", vpcId)).map(({ id }) => id));
  const named = Object.entries({
    EmrManagedMasterSecurityGroup: master,
    EmrManagedSlaveSecurityGroup: slave,
    ServiceAccessSecurityGroup: service,
    AdditionalMasterSecurityGroups,
    AdditionalSlaveSecurityGroups,
  });
  for (const [member, value] of named)
    for (const id of [value ?? []].flat())
      if (!known.has(id))
        throw validationException(`Instances.${member}: The security group '${id}' does not exist in the cluster's VPC ${vpcId}.`);
  if ((master === undefined) !== (slave === undefined))
    throw validationException(
      "Instances: EmrManagedMasterSecurityGroup and EmrManagedSlaveSecurityGroup must be given together, or neither of them.",
    );
  const additional = { AdditionalMasterSecurityGroups, AdditionalSlaveSecurityGroups };
  const isOpen = await isPublic(tx.db, request, subnet);
  if (master !== undefined) {
    if (!isOpen && service === undefined)
      throw validationException(
        "Instances.ServiceAccessSecurityGroup: You must also specify a ServiceAccessSecurityGroup if you use custom security groups when creating a cluster in a private subnet.",
      );
    return {
      EmrManagedMasterSecurityGroup: master,
      EmrManagedSlaveSecurityGroup: slave,
      ServiceAccessSecurityGroup: service,
      ...additional,
    };
  }
  const own = await ensureEmrGroups(tx, ids, request, vpcId, isOpen);
  return {
    EmrManagedMasterSecurityGroup: own.master,
    EmrManagedSlaveSecurityGroup: own.slave,
    ServiceAccessSecurityGroup: service ?? own.serviceAccess,
    ...additional,
  };
}
