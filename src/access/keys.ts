/** Access keys: who signs with what. Read here by the pipeline and, in a thread of its own, by the S3 front door; written by the store. */
import { DatabaseSync } from "node:sqlite";
import { iamArn, rootArn, sessionArn } from "./arns.ts";
import { documents } from "./policy-source.ts";
import type { Principal } from "./principal.ts";
import type { Session } from "./session.ts";
import { untilChanged } from "./until-changed.ts";

/** `sessionToken` is set for temporary credentials. */
export interface AccessKey {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken: string | null;
  /** Epoch milliseconds; null for a key that stays. An expired one is found, so that its refusal can say so. */
  expiresAt: number | null;
  principal: Principal;
}

/** Undefined for a key that does not exist or is not active, or whose user is gone. */
export type KeyLookup = (accessKeyId: string) => AccessKey | undefined;

interface Row {
  access_key_id: string;
  secret_access_key: string;
  session_token: string | null;
  account_id: string;
  owner_id: string | null;
  session: string | null;
  cluster_id: string | null;
  expires_at: number | null;
  /** Of the owner; null where it is gone. */
  kind: "user" | "role" | null;
  name: string | null;
  path: string | null;
  /** Of the owner, as a JSON object. */
  tags: string;
}

/**
 * Looks keys up in the store's tables, read only. Nothing is kept over a commit that changes any of it, so a key works from the commit that makes it and stops with the commit
 * that disables it, and its principal is what user, role and tags are now. Throws where the database or its tables are not there yet.
 */
export function openKeyLookup(databasePath: string): KeyLookup & { close(): void } {
  const database = new DatabaseSync(databasePath, { readOnly: true, timeout: 5000 });
  const key = database.prepare(
    `SELECT access_key_id, secret_access_key, session_token, k.account_id, owner_id, session, cluster_id, expires_at, e.kind, e.name, e.path,
       (SELECT json_group_object(key, value) FROM iam_tags WHERE entity_id = owner_id) AS tags
     FROM access_keys k LEFT JOIN iam_entities e ON e.id = k.owner_id
     WHERE access_key_id = ? AND status = 'Active' AND disabled_at IS NULL`,
  );
  const documentOf = documents(database);

  const principalOf = (row: Row): Principal | undefined => {
    const { account_id: accountId, owner_id: ownerId, cluster_id: clusterId } = row;
    if (ownerId === null) return undefined;
    const common = { accountId, tags: JSON.parse(row.tags) as Record<string, string>, sessionPolicies: [], clusterId };
    const session = row.session === null ? undefined : (JSON.parse(row.session) as Session);
    const issued = session && { sessionIssuedAt: session.issuedAt };
    if (ownerId === accountId) return { ...common, ...issued, type: "Root", arn: rootArn(accountId), id: accountId };
    if (row.kind === "user") {
      const arn = iamArn({ account_id: accountId, kind: "user", path: row.path!, name: row.name! });
      return { ...common, ...issued, type: "IAMUser", arn, id: ownerId, userName: row.name! };
    }
    // A session outlives its role, as in AWS: it is known, and may do nothing.
    if (!session?.role) return undefined;
    const { role, name } = session;
    return {
      ...common,
      ...issued,
      type: "AssumedRole",
      arn: sessionArn(accountId, role.name, name),
      id: `${ownerId}:${name}`,
      role: { arn: iamArn({ account_id: accountId, kind: "role", ...role }), name: role.name, id: ownerId },
      sessionName: name,
      tags: { ...common.tags, ...session.tags },
      sessionPolicies: [...session.policies, ...session.policyArns.map(documentOf)],
      ...(session.sourceIdentity === null ? {} : { sourceIdentity: session.sourceIdentity }),
      ...(session.emrfs && { emrfs: session.emrfs }),
    };
  };

  const find = (accessKeyId: string): AccessKey | undefined => {
    const row = key.get(accessKeyId) as unknown as Row | undefined;
    const principal = row && principalOf(row);
    return (
      principal && {
        accessKeyId: row.access_key_id,
        secretAccessKey: row.secret_access_key,
        sessionToken: row.session_token,
        expiresAt: row.expires_at,
        principal,
      }
    );
  };
  const kept = untilChanged(database);
  return Object.assign((accessKeyId: string) => kept(accessKeyId, () => find(accessKeyId)), { close: () => database.close() });
}
