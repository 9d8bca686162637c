/** EC2. Source: Service Authorization Reference, "Amazon EC2": its actions are its operations, and most of what they name is a resource. */
import { type Asked, type Caller, type Input, list, requestTags, resourceTags, text, textsOf } from "./asked.ts";

/** Members, of one id or of a list of them, and the kind of the resource. */
const members = [
  ["InstanceId", "instance"],
  ["VolumeId", "volume"],
  ["VpcId", "vpc"],
  ["SubnetId", "subnet"],
  ["GroupId", "security-group"],
  ["SecurityGroupId", "security-group"],
  ["SecurityGroupRuleId", "security-group-rule"],
  ["KeyPairId", "key-pair"],
  ["KeyName", "key-pair"],
  ["InternetGatewayId", "internet-gateway"],
  ["RouteTableId", "route-table"],
  ["NetworkAclId", "network-acl"],
  ["NetworkInterfaceId", "network-interface"],
  ["DhcpOptionsId", "dhcp-options"],
  ["SnapshotId", "snapshot"],
  ["ImageId", "image"],
  ["AllocationId", "elastic-ip"],
  ["LaunchTemplateId", "launch-template"],
  ["NatGatewayId", "natgateway"],
  ["VpcEndpointId", "vpc-endpoint"],
  ["VpcPeeringConnectionId", "vpc-peering-connection"],
] as const;

/** Of the ids that CreateTags and DeleteTags take. */
const prefixes: Record<string, string> = {
  i: "instance",
  vol: "volume",
  vpc: "vpc",
  subnet: "subnet",
  sg: "security-group",
  sgr: "security-group-rule",
  key: "key-pair",
  igw: "internet-gateway",
  rtb: "route-table",
  acl: "network-acl",
  eni: "network-interface",
  dopt: "dhcp-options",
  snap: "snapshot",
  ami: "image",
  eipalloc: "elastic-ip",
  lt: "launch-template",
  nat: "natgateway",
};

/** What an operation whose name says so makes; it has no id yet. */
const makes = /^(?:Create|Import|Allocate)([A-Z]\w*)$/;
/** Where the kind is not the name in kebab case; undefined for what is no resource, or a part of one that the input names. */
const made: Record<string, string | undefined> = {
  Address: "elastic-ip",
  DefaultVpc: undefined,
  DefaultSubnet: undefined,
  NatGateway: "natgateway",
  Route: undefined,
  NetworkAclEntry: undefined,
  Tags: undefined,
};

export function ec2Actions(operation: string, input: Input, caller: Caller): Asked[] {
  const { region, facts } = caller;
  const { accountId } = caller.principal;
  const action = `ec2:${operation}`;
  const arn = (kind: string, id: string) => `arn:aws:ec2:${region}:${accountId}:${kind}/${id}`;
  const specified = list(input.TagSpecifications).map((one) => one as { ResourceType?: string; Tags?: unknown });
  const tags = requestTags(input.Tags ?? specified.flatMap(({ Tags }) => list(Tags)));
  const ask = (kind: string, id: string): Asked => ({
    action,
    resource: arn(kind, id),
    keys: [...tags, ["ec2:Region", region], ...resourceTags(facts.ec2Tags(accountId, region, id), "ec2")],
  });
  // Looking has no resources, but for one thing's attributes.
  if (/^(Describe(?!\w+Attribute$)|List|Search)/.test(operation)) return [{ action, resource: "*", keys: [["ec2:Region", region]] }];
  const asked: Asked[] = [];
  if (/^(Create|Delete)Tags$/.test(operation))
    for (const id of textsOf(input.Resources)) asked.push(ask(prefixes[id.split("-", 1)[0]!] ?? "*", id));
  const name = makes.exec(operation)?.[1];
  const kind = name === undefined ? undefined : name in made ? made[name] : kebab(name);
  const isKey = kind === "key-pair";
  const id = isKey ? (text(input.KeyName) ?? "*") : "*";
  if (kind !== undefined) {
    asked.push(ask(kind, id));
    for (const { ResourceType, Tags } of specified)
      asked.push({
        action: "ec2:CreateTags",
        resource: arn(ResourceType ?? kind, id),
        keys: [...requestTags(Tags), ["ec2:CreateAction", operation], ["ec2:Region", region]],
      });
  }
  for (const [member, kind] of members) {
    if (
      (isKey && kind === "key-pair") ||
      (targets.test(operation) && kind !== "route-table") ||
      (rules.test(operation) && member !== "GroupId")
    )
      continue;
    for (const id of [text(input[member]), ...textsOf(input[`${member}s`])]) if (id !== undefined) asked.push(ask(kind, id));
  }
  // A security group of the default VPC may be named by its name, a route table by an association of it.
  if (asked.length === 0 && /SecurityGroup/.test(operation)) asked.push(ask("security-group", "*"));
  if (asked.length === 0 && /RouteTable/.test(operation)) asked.push(ask("route-table", "*"));
  return asked.length > 0 ? asked : [{ action, resource: "*", keys: [...tags, ["ec2:Region", region]] }];
}

/** Of a route, what it leads to is no resource of the action; of a group's rules, neither are they. */
const targets = /^(Create|Replace|Delete)Route$/;
const rules = /^(Authorize|Revoke)SecurityGroup(Ingress|Egress)$/;

const kebab = (name: string) => name.replace(/(?<=[a-z])[A-Z]/g, (c) => `-${c}`).toLowerCase();
