/**
 * The tables of accounts and of IAM: written by requests (`api`), and by the start of a control plane, which makes what a new account begins with.
 * Names, paths and limits: IAM User Guide, "IAM identifiers" and "IAM and AWS STS quotas".
 */
export interface AccountsTable {
  /** 12 digits */
  id: string;
  /** What `howdah accounts` calls it. */
  name: string;
  created_at: number;
  /** The one account alias that IAM allows. */
  alias: string | null;
}

/** What an account began with, by name: it is made once, so what a user has deleted stays deleted. */
export interface AccountSeedsTable {
  account_id: string;
  name: string;
}

export type IamKind = "user" | "group" | "role" | "instance-profile" | "policy";

/** Users, groups, roles, instance profiles and customer managed policies: what they share, and after it what only some of them have. */
export interface IamEntitiesTable {
  /** AIDA…, AGPA…, AROA…, AIPA…, ANPA…: never used again */
  id: string;
  account_id: string;
  kind: IamKind;
  /** Unique in its account and kind, whatever its case. */
  name: string;
  /** / or /a/b/ */
  path: string;
  created_at: number;
  /** role, policy */
  description: string | null;
  /** user, role: ARN of the policy that is its permissions boundary */
  boundary_arn: string | null;
  /** role: its trust policy as JSON */
  trust: string | null;
  /** role: the longest session, in seconds */
  max_session_seconds: number | null;
  /** role: the service that alone may change or delete it */
  linked_service: string | null;
  /** role: when a session of it last signed a request, and where */
  last_used_at: number | null;
  last_used_region: string | null;
  /** instance profile: its role's id */
  role_id: string | null;
  /** policy: the newest version's number, of those deleted too; and its last change */
  last_version: number | null;
  updated_at: number | null;
}

export interface IamGroupMembersTable {
  group_id: string;
  user_id: string;
  added_at: number;
}

/** Managed policies, AWS's or the account's, of users, groups and roles. */
export interface IamAttachmentsTable {
  entity_id: string;
  policy_arn: string;
  attached_at: number;
}

export interface IamInlinePoliciesTable {
  entity_id: string;
  name: string;
  document: string;
}

/** Versions of customer managed policies, by ARN so that an attachment leads to its document at once. */
export interface IamPolicyVersionsTable {
  policy_arn: string;
  /** 1, 2, … */
  version: number;
  document: string;
  created_at: number;
  /** 1 for the one that decides */
  is_default: number;
}

/** Keys are compared without regard to case, as IAM does. */
export interface IamTagsTable {
  entity_id: string;
  key: string;
  value: string;
}

/** Keys of users and of sessions. Read by src/access/keys.ts, too. */
export interface AccessKeysTable {
  access_key_id: string;
  secret_access_key: string;
  /** Set for temporary credentials. */
  session_token: string | null;
  account_id: string;
  /** Whose it is: a user, or the role of a session. Null only for the keys of clusters of before there were roles. */
  owner_id: string | null;
  /** Session as JSON (src/access/session.ts), for temporary credentials. */
  session: string | null;
  /** Of a cluster's nodes: the cluster, and the instance. */
  cluster_id: string | null;
  instance_id: string | null;
  /** Active or Inactive: as its user wants it. */
  status: "Active" | "Inactive";
  created_at: number;
  expires_at: number | null;
  /** Set when its cluster ended. */
  disabled_at: number | null;
  last_used_at: number | null;
  last_used_service: string | null;
  last_used_region: string | null;
}

/**
 * An account of before becomes one with a user `admin`, whom its key belongs to. Clusters' keys are given their role when the control plane has
 * made the roles that an account begins with (src/store/accounts.ts).
 */
export const iamMigration = `
  CREATE TABLE accounts (id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, created_at INTEGER NOT NULL, alias TEXT UNIQUE);
  CREATE TABLE account_seeds (account_id TEXT NOT NULL, name TEXT NOT NULL, PRIMARY KEY (account_id, name));
  CREATE TABLE iam_entities (id TEXT PRIMARY KEY, account_id TEXT NOT NULL, kind TEXT NOT NULL, name TEXT NOT NULL COLLATE NOCASE, path TEXT NOT NULL,
    created_at INTEGER NOT NULL, description TEXT, boundary_arn TEXT, trust TEXT, max_session_seconds INTEGER, linked_service TEXT,
    last_used_at INTEGER, last_used_region TEXT, role_id TEXT, last_version INTEGER, updated_at INTEGER);
  CREATE UNIQUE INDEX iam_entities_by_name ON iam_entities (account_id, kind, name);
  CREATE INDEX iam_entities_by_role ON iam_entities (role_id) WHERE role_id IS NOT NULL;
  CREATE TABLE iam_group_members (group_id TEXT NOT NULL REFERENCES iam_entities (id), user_id TEXT NOT NULL REFERENCES iam_entities (id),
    added_at INTEGER NOT NULL, PRIMARY KEY (group_id, user_id));
  CREATE INDEX iam_group_members_by_user ON iam_group_members (user_id);
  CREATE TABLE iam_attachments (entity_id TEXT NOT NULL REFERENCES iam_entities (id), policy_arn TEXT NOT NULL, attached_at INTEGER NOT NULL,
    PRIMARY KEY (entity_id, policy_arn));
  CREATE INDEX iam_attachments_by_policy ON iam_attachments (policy_arn);
  CREATE TABLE iam_inline_policies (entity_id TEXT NOT NULL REFERENCES iam_entities (id), name TEXT NOT NULL, document TEXT NOT NULL,
    PRIMARY KEY (entity_id, name));
  CREATE TABLE iam_policy_versions (policy_arn TEXT NOT NULL, version INTEGER NOT NULL, document TEXT NOT NULL, created_at INTEGER NOT NULL,
    is_default INTEGER NOT NULL, PRIMARY KEY (policy_arn, version));
  CREATE TABLE iam_tags (entity_id TEXT NOT NULL REFERENCES iam_entities (id), key TEXT NOT NULL COLLATE NOCASE, value TEXT NOT NULL,
    PRIMARY KEY (entity_id, key));
  INSERT INTO accounts (id, name, created_at) SELECT account_id, 'default', min(created_at) FROM access_keys GROUP BY account_id;
  INSERT INTO iam_entities (id, account_id, kind, name, path, created_at)
    SELECT 'AIDA' || substr(hex(randomblob(9)), 1, 17), account_id, 'user', 'admin', '/', min(created_at) FROM access_keys
    WHERE cluster_id IS NULL GROUP BY account_id;
  INSERT INTO iam_attachments SELECT id, 'arn:aws:iam::aws:policy/AdministratorAccess', created_at FROM iam_entities;
  INSERT INTO account_seeds SELECT account_id, 'admin' FROM iam_entities;
  ALTER TABLE access_keys ADD COLUMN owner_id TEXT;
  ALTER TABLE access_keys ADD COLUMN session TEXT;
  ALTER TABLE access_keys ADD COLUMN instance_id TEXT;
  ALTER TABLE access_keys ADD COLUMN status TEXT NOT NULL DEFAULT 'Active';
  ALTER TABLE access_keys ADD COLUMN expires_at INTEGER;
  ALTER TABLE access_keys ADD COLUMN last_used_at INTEGER;
  ALTER TABLE access_keys ADD COLUMN last_used_service TEXT;
  ALTER TABLE access_keys ADD COLUMN last_used_region TEXT;
  UPDATE access_keys SET owner_id = (SELECT id FROM iam_entities e WHERE e.account_id = access_keys.account_id) WHERE cluster_id IS NULL;
  ALTER TABLE access_keys DROP COLUMN principal_arn;
  CREATE INDEX access_keys_by_owner ON access_keys (owner_id);
  CREATE INDEX access_keys_by_instance ON access_keys (instance_id) WHERE instance_id IS NOT NULL;
`;
