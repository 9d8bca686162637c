/** Rows of the store as IAM's shapes. Pure functions; the fields are those of the API reference's User, Group, Role, InstanceProfile and Policy. */
import { iamArn } from "../../access/arns.ts";
import type { AwsManagedPolicy } from "../../access/aws-managed-policies.ts";
import type { AccessKeyRow } from "../../store/access-keys.ts";
import type { IamEntity } from "../../store/iam-entities.ts";
import type { PolicyVersion } from "../../store/iam-policies.ts";
import { encodeDocument } from "./documents.ts";

export type Tags = { Key: string; Value: string }[];

/** IAM's times are whole seconds. */
const date = (ms: number): Date => new Date(ms - (ms % 1000));

const boundary = ({ boundary_arn }: IamEntity) =>
  boundary_arn === null
    ? {}
    : { PermissionsBoundary: { PermissionsBoundaryType: "PermissionsBoundaryPolicy" as const, PermissionsBoundaryArn: boundary_arn } };

const withTags = (tags: Tags | undefined) => (tags && tags.length > 0 ? { Tags: tags } : {});

/** Lists of users have neither tags nor boundary. */
export const userSummary = (user: IamEntity) => ({
  Path: user.path,
  UserName: user.name,
  UserId: user.id,
  Arn: iamArn(user),
  CreateDate: date(user.created_at),
});

export const userShape = (user: IamEntity, tags?: Tags) => ({ ...userSummary(user), ...boundary(user), ...withTags(tags) });

export const groupShape = (group: IamEntity) => ({
  Path: group.path,
  GroupName: group.name,
  GroupId: group.id,
  Arn: iamArn(group),
  CreateDate: date(group.created_at),
});

/** Lists of roles, and instance profiles, have neither tags, boundary nor last use. */
export const roleSummary = (role: IamEntity) => ({
  Path: role.path,
  RoleName: role.name,
  RoleId: role.id,
  Arn: iamArn(role),
  CreateDate: date(role.created_at),
  AssumeRolePolicyDocument: encodeDocument(role.trust ?? ""),
  ...(role.description === null ? {} : { Description: role.description }),
  MaxSessionDuration: role.max_session_seconds ?? 3600,
});

export const roleLastUsed = (role: IamEntity) =>
  role.last_used_at === null ? {} : { LastUsedDate: date(role.last_used_at), Region: role.last_used_region ?? undefined };

export const roleShape = (role: IamEntity, tags?: Tags) => ({
  ...roleSummary(role),
  ...boundary(role),
  ...withTags(tags),
  RoleLastUsed: roleLastUsed(role),
});

export const profileShape = (profile: IamEntity, role: IamEntity | undefined, tags?: Tags) => ({
  Path: profile.path,
  InstanceProfileName: profile.name,
  InstanceProfileId: profile.id,
  Arn: iamArn(profile),
  CreateDate: date(profile.created_at),
  Roles: role ? [roleSummary(role)] : [],
  ...withTags(tags),
});

export interface PolicyFacts {
  defaultVersion: number;
  attachments: number;
  boundaries: number;
}

export const versionName = (version: number): string => `v${version}`;

const counted = ({ defaultVersion, attachments, boundaries }: PolicyFacts) => ({
  DefaultVersionId: versionName(defaultVersion),
  AttachmentCount: attachments,
  PermissionsBoundaryUsageCount: boundaries,
  IsAttachable: true,
});

/** Lists of policies have neither description nor tags. */
export const policySummary = (policy: IamEntity, facts: PolicyFacts) => ({
  PolicyName: policy.name,
  PolicyId: policy.id,
  Arn: iamArn(policy),
  Path: policy.path,
  ...counted(facts),
  CreateDate: date(policy.created_at),
  UpdateDate: date(policy.updated_at ?? policy.created_at),
});

export const policyShape = (policy: IamEntity, facts: PolicyFacts, tags: Tags) => ({
  ...policySummary(policy, facts),
  ...(policy.description === null ? {} : { Description: policy.description }),
  Tags: tags,
});

export const awsPolicySummary = (policy: AwsManagedPolicy, facts: Omit<PolicyFacts, "defaultVersion">) => ({
  PolicyName: policy.name,
  PolicyId: policy.id,
  Arn: policy.arn,
  Path: policy.path,
  ...counted({ ...facts, defaultVersion: policy.version }),
  CreateDate: date(policy.createdAt),
  UpdateDate: date(policy.updatedAt),
});

/** Lists of versions have no document. */
export const versionSummary = (version: PolicyVersion) => ({
  VersionId: versionName(version.version),
  IsDefaultVersion: version.is_default === 1,
  CreateDate: date(version.created_at),
});

export const versionShape = (version: PolicyVersion) => ({ ...versionSummary(version), Document: encodeDocument(version.document) });

export const keySummary = (key: AccessKeyRow, UserName: string) => ({
  UserName,
  AccessKeyId: key.access_key_id,
  Status: key.status,
  CreateDate: date(key.created_at),
});
