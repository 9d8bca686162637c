/** EC2's errors. Source: Amazon EC2 API Reference, "Error codes for the Amazon EC2 API". */
import { AwsError } from "../../aws/errors.ts";

/** How each kind of thing is called: the beginning of its ids, EC2's code where there is none of that id, and its name in the message. */
const things = {
  instance: ["i", "InvalidInstanceID.NotFound", "instance ID", "InvalidInstanceID.Malformed"],
  volume: ["vol", "InvalidVolume.NotFound", "volume", "InvalidVolumeID.Malformed"],
  vpc: ["vpc", "InvalidVpcID.NotFound", "vpc ID"],
  subnet: ["subnet", "InvalidSubnetID.NotFound", "subnet ID"],
  "route-table": ["rtb", "InvalidRouteTableID.NotFound", "routeTable ID"],
  "internet-gateway": ["igw", "InvalidInternetGatewayID.NotFound", "internetGateway ID"],
  "network-acl": ["acl", "InvalidNetworkAclID.NotFound", "networkAcl ID"],
  "network-interface": ["eni", "InvalidNetworkInterfaceID.NotFound", "networkInterface ID"],
  "dhcp-options": ["dopt", "InvalidDhcpOptionID.NotFound", "dhcpOption ID"],
  "security-group": ["sg", "InvalidGroup.NotFound", "security group", "InvalidGroupId.Malformed"],
  "security-group-rule": ["sgr", "InvalidSecurityGroupRuleId.NotFound", "security group rule ID"],
  "key-pair": ["key", "InvalidKeyPair.NotFound", "key pair ID"],
  image: ["ami", "InvalidAMIID.NotFound", "image id"],
} as const satisfies Record<string, [string, string, string, string?]>;

export type Thing = keyof typeof things;

export function notFound(thing: Thing, ids: readonly string[]): AwsError {
  const [, code, name] = things[thing];
  const [subject, verb] = ids.length === 1 ? [name, "does"] : [`${name}s`, "do"];
  return new AwsError(code, `The ${subject} '${ids.join(", ")}' ${verb} not exist`);
}

/** Throws where EC2 tells an id that cannot be one from one that nothing has. */
export function checkForm(thing: Thing, id: string): void {
  const [prefix, , , code] = things[thing] as readonly [string, string, string, string?];
  if (code && !new RegExp(`^${prefix}-([0-9a-f]{8}|[0-9a-f]{17})$`).test(id))
    throw new AwsError(code, `Invalid id: "${id}" (expecting "${prefix}-...")`);
}

/** What things an id may belong to, by its beginning; undefined for none that Howdah has. */
export function thingOf(id: string): Thing | undefined {
  const prefix = id.slice(0, id.indexOf("-"));
  return (Object.keys(things) as Thing[]).find((thing) => things[thing][0] === prefix);
}

export const invalidValue = (message: string) => new AwsError("InvalidParameterValue", message);
export const missing = (parameter: string) => new AwsError("MissingParameter", `The request must contain the parameter ${parameter}`);
export const invalidCombination = (message: string) => new AwsError("InvalidParameterCombination", message);
export const dependencyViolation = (message: string) => new AwsError("DependencyViolation", message);

/** For what Howdah does not do: says why, or what to do. */
export const unsupported = (message: string) => new AwsError("UnsupportedOperation", message);

/**
 * Throws UnsupportedOperation for a parameter that is asked for and not among those that `operation` has an effect for. false, an empty
 * list and `default` ask for nothing.
 */
export function takeOnly<Input extends object>(operation: string, input: Input, known: readonly (keyof Input)[]): void {
  for (const [name, value] of Object.entries(input))
    if (asksForSomething(value) && name !== "DryRun" && !known.includes(name as keyof Input))
      throw unsupported(`${operation}: the parameter ${name} is not in Howdah. Leave it out.`);
}

function asksForSomething(value: unknown): boolean {
  if (value === undefined || value === null || value === false || value === "default") return false;
  if (Array.isArray(value)) return value.length > 0;
  return (value as { Value?: unknown }).Value !== false;
}
