/** Block public access: https://docs.aws.amazon.com/emr/latest/ManagementGuide/emr-block-public-access.html */
import type {
  BlockPublicAccessConfiguration,
  Ec2InstanceAttributes,
  PortRange,
  PutBlockPublicAccessConfigurationInput,
} from "@aws-sdk/client-emr";
import { invalidRequest, validationException } from "../../aws/errors.ts";
import { findAccount } from "../../store/accounts.ts";
import { findBlockPublicAccess, putBlockPublicAccess } from "../../store/block-public-access.ts";
import { findResource, type SecurityGroup } from "../../store/ec2-resources.ts";
import { isPublic } from "../../store/ec2-vpcs.ts";
import type { Db } from "../../store/store.ts";
import type { EmrContext, EmrRequest } from "./context.ts";

/** What holds in a region until somebody puts another one: nothing but ssh may be open to all. */
const asCreated: BlockPublicAccessConfiguration = {
  BlockPublicSecurityGroupRules: true,
  PermittedPublicSecurityGroupRuleRanges: [{ MinRange: 22, MaxRange: 22 }],
};

/** A configuration that nobody has put was made with the account, by its root. */
export async function GetBlockPublicAccessConfiguration({ store }: EmrContext, _input: object, request: EmrRequest) {
  const put = await findBlockPublicAccess(store.db, request);
  const created = put?.created_at ?? (await findAccount(store.db, request.accountId))?.created_at ?? 0;
  return {
    BlockPublicAccessConfiguration: put?.configuration ?? asCreated,
    BlockPublicAccessConfigurationMetadata: {
      CreationDateTime: new Date(created),
      CreatedByArn: put?.created_by_arn ?? `arn:aws:iam::${request.accountId}:root`,
    },
  };
}

export async function PutBlockPublicAccessConfiguration(
  { store }: EmrContext,
  input: PutBlockPublicAccessConfigurationInput,
  request: EmrRequest,
) {
  const { BlockPublicSecurityGroupRules, PermittedPublicSecurityGroupRuleRanges = [] } = input.BlockPublicAccessConfiguration ?? {};
  const ranges = PermittedPublicSecurityGroupRuleRanges.map(({ MinRange = 0, MaxRange = MinRange }, index): PortRange => {
    if (MaxRange < MinRange)
      throw invalidRequest(
        `BlockPublicAccessConfiguration.PermittedPublicSecurityGroupRuleRanges[${index}]: MaxRange ${MaxRange} must not be below MinRange ${MinRange}.`,
      );
    return { MinRange, MaxRange };
  });
  const configuration = { BlockPublicSecurityGroupRules, PermittedPublicSecurityGroupRuleRanges: ranges };
  await store.transaction((tx) => putBlockPublicAccess(tx, request, configuration, request.principal.arn));
  return {};
}

/** An inbound rule of a security group for one peer; port -1 is every port. */
export interface InboundRule {
  groupId: string;
  fromPort: number;
  toPort: number;
  /** 10.0.0.0/8, ::/0 */
  cidr: string;
}

const securityGroupsOf = (instances: Ec2InstanceAttributes): string[] =>
  [
    instances.EmrManagedMasterSecurityGroup,
    instances.EmrManagedSlaveSecurityGroup,
    instances.ServiceAccessSecurityGroup,
    ...(instances.AdditionalMasterSecurityGroups ?? []),
    ...(instances.AdditionalSlaveSecurityGroups ?? []),
  ].filter((id) => id !== undefined);

/**
 * For RunJobFlow: may a cluster with these security groups be? A private subnet lets nobody in, whatever they say. Throws ValidationException
 * where a rule opens to all what the region's configuration does not permit.
 */
export async function checkPublicAccess(db: Db, request: EmrRequest, instances: Ec2InstanceAttributes): Promise<void> {
  const configuration = (await findBlockPublicAccess(db, request))?.configuration ?? asCreated;
  if (!configuration.BlockPublicSecurityGroupRules) return;
  const subnet = instances.Ec2SubnetId ? await findResource(db, request, "subnet", instances.Ec2SubnetId) : undefined;
  if (subnet && !(await isPublic(db, request, subnet))) return;
  for (const id of new Set(securityGroupsOf(instances))) {
    const group = await findResource(db, request, "security-group", id);
    const open = group && forbiddenRule(configuration, inboundRules(group));
    if (open)
      throw validationException(
        `Security group ${open.groupId} lets everybody (${open.cidr}) reach ${ports(open)}, which block public access forbids in ${request.region}. Change the rule, or permit the ports with PutBlockPublicAccessConfiguration.`,
      );
  }
}

/** Rules of protocols without ports are not what block public access is about. */
function inboundRules({ id, spec }: SecurityGroup): InboundRule[] {
  return spec.rules.flatMap(({ isEgress, protocol, fromPort, toPort, peer }) => {
    if (isEgress || "groupId" in peer || protocol.startsWith("icmp")) return [];
    const cidr = "cidrIpv4" in peer ? peer.cidrIpv4 : peer.cidrIpv6;
    return [{ groupId: id, fromPort: fromPort ?? everyPort, toPort: toPort ?? everyPort, cidr }];
  });
}

const [everyPort, lastPort] = [-1, 65_535];

const ports = ({ fromPort, toPort }: InboundRule): string => (fromPort === everyPort ? "every port" : `ports ${fromPort} to ${toPort}`);

/** The first rule that opens to all what is not permitted. */
export function forbiddenRule(configuration: BlockPublicAccessConfiguration, rules: readonly InboundRule[]): InboundRule | undefined {
  const permitted = configuration.PermittedPublicSecurityGroupRuleRanges ?? [];
  return rules.find((rule) => (rule.cidr === "0.0.0.0/0" || rule.cidr === "::/0") && !permits(permitted, rule));
}

/** Is every port of the rule in some range? Ranges may overlap, and continue one another. */
function permits(ranges: readonly PortRange[], rule: InboundRule): boolean {
  let next = rule.fromPort === everyPort ? 0 : rule.fromPort;
  for (const { MinRange = 0, MaxRange = MinRange } of ranges.toSorted((a, b) => (a.MinRange ?? 0) - (b.MinRange ?? 0)))
    if (MinRange <= next && next <= MaxRange) next = MaxRange + 1;
  return next > (rule.toPort === everyPort ? lastPort : rule.toPort);
}
