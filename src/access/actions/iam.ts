/** IAM. Source: Service Authorization Reference, "AWS Identity and Access Management (IAM)". */
import type { IamFacts } from "../resource-facts.ts";
import { type Asked, type Caller, type Input, passRole, requestTags, resourceTags, roleArn, tagKeys, text, textsOf } from "./asked.ts";

/** What an action's resource is: the member that names it, and its kind. The first of them that the input has. */
const members = [
  ["InstanceProfileName", "instance-profile"],
  ["GroupName", "group"],
  ["RoleName", "role"],
  ["UserName", "user"],
  ["ServerCertificateName", "server-certificate"],
] as const;

/** Members that are the resource's ARN. */
const arnMembers = ["PolicyArn", "PolicySourceArn", "SAMLProviderArn", "OpenIDConnectProviderArn", "Arn", "SerialNumber"] as const;

/** Of the SSH and MFA operations and the like, a missing UserName is the caller. */
const ofCaller =
  /^(GetUser|ChangePassword|(Create|Delete|Update|List)AccessKeys?|(List|Update|Delete|Upload)SigningCertificates?|ListMFADevices|(Enable|Deactivate|Resync|Get)MFADevice|(Create|Get|Update|Delete)LoginProfile|ListSSHPublicKeys|(Create|List|Update|Reset|Delete)ServiceSpecificCredentials?)$/;

export function iamActions(operation: string, input: Input, caller: Caller): Asked[] {
  const resource = resourceOf(operation, input, caller);
  const keys: Asked["keys"] = [
    ...requestTags(input.Tags),
    ...resourceTags(resource.facts?.tags, "iam"),
    ["iam:PolicyARN", /^(Attach|Detach)/.test(operation) ? text(input.PolicyArn) : undefined],
    ["iam:PermissionsBoundary", text(input.PermissionsBoundary) ?? resource.facts?.boundaryArn ?? undefined],
    ["iam:AWSServiceName", text(input.AWSServiceName)],
    ["iam:ServiceSpecificCredentialServiceName", text(input.ServiceName)],
  ];
  if (operation.startsWith("Untag")) keys.push(tagKeys(textsOf(input.TagKeys)));
  const asked: Asked[] = [{ action: `iam:${operation}`, resource: resource.arn, keys }];
  // An instance profile gives its role to EC2.
  if (operation === "AddRoleToInstanceProfile") asked.push(passRole(roleArn(text(input.RoleName) ?? "", caller), "ec2.amazonaws.com"));
  return asked;
}

/** `facts`: of a user, group, role, instance profile or policy; empty where it is not there. */
interface Resource {
  arn: string;
  facts?: Partial<IamFacts>;
}

function resourceOf(operation: string, input: Input, { principal, facts }: Caller): Resource {
  const { accountId } = principal;
  const made = (kind: string, name: string) => `arn:aws:iam::${accountId}:${kind}${text(input.Path) ?? "/"}${name}`;
  if (operation === "CreatePolicy") return { arn: made("policy", text(input.PolicyName) ?? "") };
  if (operation === "CreateVirtualMFADevice") return { arn: made("mfa", text(input.VirtualMFADeviceName) ?? "") };
  if (operation === "UploadServerCertificate") return { arn: made("server-certificate", text(input.ServerCertificateName) ?? "") };
  if (operation === "CreateSAMLProvider") return { arn: made("saml-provider", text(input.Name) ?? "") };
  if (operation === "CreateServiceLinkedRole")
    return { arn: linkedRole(accountId, text(input.AWSServiceName) ?? "", text(input.CustomSuffix)) };
  if (operation === "GetAccessKeyLastUsed") {
    const owner = facts.userOfKey(accountId, text(input.AccessKeyId) ?? "");
    return { arn: owner ?? `arn:aws:iam::${accountId}:user/*` };
  }
  if (operation === "GetServiceLinkedRoleDeletionStatus") return { arn: deletedRole(accountId, text(input.DeletionTaskId) ?? "") };
  const request = text(input.DelegationRequestId);
  if (request !== undefined) return { arn: `arn:aws:iam::${accountId}:delegation-request/${request}` };
  for (const [member, kind] of members) {
    const name = text(input[member]);
    if (name === undefined) continue;
    if (/^Create(User|Group|Role|InstanceProfile)$/.test(operation)) return { arn: made(kind, name), facts: {} };
    if (kind === "server-certificate") return { arn: `arn:aws:iam::${accountId}:${kind}/${name}` };
    return { arn: facts.iamArn(accountId, kind, name), facts: facts.iam(accountId, kind, name) ?? {} };
  }
  if (ofCaller.test(operation)) return { arn: principal.arn, facts: { tags: principal.tags } };
  for (const member of arnMembers) {
    const named = text(input[member]);
    // A device may be known by a serial number.
    const arn = named === undefined || named.startsWith("arn:") ? named : `arn:aws:iam::${accountId}:mfa/${named}`;
    if (arn !== undefined) return { arn, ...(member === "PolicyArn" ? { facts: facts.iamPolicy(accountId, arn) ?? {} } : {}) };
  }
  return { arn: "*" };
}

/** The names of roles that AWS's services make for themselves, where they are not the service's own. */
const linkedNames: Record<string, string> = {
  "elasticmapreduce.amazonaws.com": "AWSServiceRoleForEMRCleanup",
  "spot.amazonaws.com": "AWSServiceRoleForEC2Spot",
  "elasticmapreduce-wal.amazonaws.com": "AWSServiceRoleForEMRWAL",
};

function linkedRole(accountId: string, service: string, suffix: string | undefined): string {
  const name = (Object.hasOwn(linkedNames, service) && linkedNames[service]) || "*";
  return `arn:aws:iam::${accountId}:role/aws-service-role/${service}/${name}${suffix === undefined ? "" : `_${suffix}`}`;
}

/** `task/aws-service-role/SERVICE/ROLE/id` */
function deletedRole(accountId: string, task: string): string {
  const path = /^task\/(.*)\/[^/]*$/.exec(task)?.[1];
  return `arn:aws:iam::${accountId}:role/${path ?? "*"}`;
}
