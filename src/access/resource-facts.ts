/** What decides beside policies: the tags, boundaries and trust policies of what a request names. Read anew for each request, as keys are. */
import { DatabaseSync } from "node:sqlite";
import type { IamKind } from "../store/iam-schema.ts";
import { iamArn } from "./arns.ts";
import { untilChanged } from "./until-changed.ts";

export type Tags = Record<string, string>;

/** Of a user, group, role, instance profile or policy. */
export interface IamFacts {
  arn: string;
  tags: Tags;
  boundaryArn: string | null;
  /** A role's trust policy. */
  trust: string | null;
}

/** What is not there has no tags and no policies: whoever may not ask learns nothing of it. */
export interface ResourceFacts {
  /** Undefined where the account has no such cluster in this region. */
  clusterTags(accountId: string, region: string, clusterId: string): Tags | undefined;
  clusterOfGroup(groupId: string): string | undefined;
  /** Of a resource of EC2. A node has those of its cluster, too. */
  ec2Tags(accountId: string, region: string, id: string): Tags;
  /** By ARN. */
  trailTags(arn: string): Tags;
  iam(accountId: string, kind: IamKind, name: string): IamFacts | undefined;
  /** Of a policy of the account. */
  iamPolicy(accountId: string, arn: string): IamFacts | undefined;
  /** With its path, where it is there. */
  iamArn(accountId: string, kind: IamKind, name: string): string;
  /** By ARN, of any account. */
  role(arn: string): IamFacts | undefined;
  /** ARN of the role of an instance profile, which is named by name or ARN; without such a profile the role of its name. */
  roleOfProfile(accountId: string, profile: string): string;
  /** ARN of the user whose key this is. */
  userOfKey(accountId: string, accessKeyId: string): string | undefined;
}

interface EntityRow {
  id: string;
  account_id: string;
  kind: IamKind;
  name: string;
  path: string;
  boundary_arn: string | null;
  trust: string | null;
  role_id: string | null;
}

/** Throws where the database or its tables are not there yet. */
export function openResourceFacts(databasePath: string): ResourceFacts & { close(): void } {
  const database = new DatabaseSync(databasePath, { readOnly: true, timeout: 5000 });
  const clusterTags = database.prepare(
    `SELECT (SELECT json_group_object(key, value) FROM tags WHERE cluster_id = c.id) AS tags
     FROM clusters c WHERE id = ? AND account_id = ? AND region = ?`,
  );
  const group = database.prepare("SELECT cluster_id FROM instance_groups WHERE id = ?");
  const ec2Tags = database.prepare("SELECT key, value FROM ec2_tags WHERE resource_id = ? AND account_id = ? AND region = ?");
  const nodeTags = database.prepare(
    `SELECT key, value FROM tags WHERE cluster_id = (SELECT c.id FROM instances i JOIN clusters c ON c.id = i.cluster_id
     WHERE i.id = ? AND c.account_id = ? AND c.region = ?)`,
  );
  const trailTags = database.prepare("SELECT key, value FROM trail_tags WHERE trail_arn = ?");
  const columns = "id, account_id, kind, name, path, boundary_arn, trust, role_id";
  const entity = database.prepare(`SELECT ${columns} FROM iam_entities WHERE account_id = ? AND kind = ? AND name = ?`);
  const entityById = database.prepare(`SELECT ${columns} FROM iam_entities WHERE id = ?`);
  const entityTags = database.prepare("SELECT key, value FROM iam_tags WHERE entity_id = ?");
  const owner = database.prepare("SELECT owner_id FROM access_keys WHERE access_key_id = ? AND account_id = ? AND session IS NULL");

  const asTags = (rows: unknown[]): Tags =>
    Object.fromEntries((rows as { key: string; value: string }[]).map(({ key, value }) => [key, value]));
  const find = (accountId: string, kind: IamKind, name: string) => entity.get(accountId, kind, name) as EntityRow | undefined;
  const factsOf = (row: EntityRow | undefined): IamFacts | undefined =>
    row && { arn: iamArn(row), tags: asTags(entityTags.all(row.id)), boundaryArn: row.boundary_arn, trust: row.trust };
  /** The entity of an ARN, whose path must be right. */
  const byArn = (arn: string, kind: IamKind): EntityRow | undefined => {
    const [, , , , accountId = "", named = ""] = arn.split(":");
    const row = find(accountId, kind, named.split("/").at(-1) ?? "");
    return row && iamArn(row) === arn ? row : undefined;
  };

  const kept = untilChanged(database);

  return {
    clusterTags: (accountId, region, id) =>
      kept(`${accountId} ${region} ${id}`, () => {
        const row = clusterTags.get(id, accountId, region) as { tags: string } | undefined;
        return row && (JSON.parse(row.tags) as Tags);
      }),
    clusterOfGroup: (id) => (group.get(id) as { cluster_id: string } | undefined)?.cluster_id,
    ec2Tags: (accountId, region, id) =>
      asTags([...(id.startsWith("i-") ? nodeTags.all(id, accountId, region) : []), ...ec2Tags.all(id, accountId, region)]),
    trailTags: (arn) => asTags(trailTags.all(arn)),
    iam: (accountId, kind, name) => factsOf(find(accountId, kind, name)),
    iamPolicy(accountId, arn) {
      const row = byArn(arn, "policy");
      return row?.account_id === accountId ? factsOf(row) : undefined;
    },
    iamArn: (accountId, kind, name) => iamArn(find(accountId, kind, name) ?? { account_id: accountId, kind, path: "/", name }),
    role: (arn) => factsOf(byArn(arn, "role")),
    roleOfProfile(accountId, profile) {
      const name = profile.split("/").at(-1)!;
      const roleId = find(accountId, "instance-profile", name)?.role_id;
      const role = roleId && (entityById.get(roleId) as EntityRow | undefined);
      return iamArn(role || { account_id: accountId, kind: "role", path: "/", name });
    },
    userOfKey(accountId, accessKeyId) {
      const id = (owner.get(accessKeyId, accountId) as { owner_id: string | null } | undefined)?.owner_id;
      const row = id ? (entityById.get(id) as EntityRow | undefined) : undefined;
      return row?.kind === "user" ? iamArn(row) : undefined;
    },
    close: () => database.close(),
  };
}
