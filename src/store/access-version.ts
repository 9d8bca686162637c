/** What is kept of keys, policies and tags by whoever reads them (src/access/until-changed.ts) holds until this number is another one. */

/** It goes up with each row that counts, whoever writes it. */
export interface AccessVersionTable {
  number: number;
}

/** By table, what a change of keeps nothing true; of updates, the columns where not all of them count: that a key is used is written down again and again. */
const counts: Record<string, { updates?: string; only?: "DELETE" }> = {
  access_keys: {
    updates: "access_key_id, secret_access_key, session_token, account_id, owner_id, session, cluster_id, status, expires_at, disabled_at",
  },
  iam_entities: { updates: "id, account_id, kind, name, path, boundary_arn, trust, role_id" },
  iam_tags: {},
  iam_attachments: {},
  iam_group_members: {},
  iam_inline_policies: {},
  iam_policy_versions: {},
  tags: {},
  // Its account and region never change.
  clusters: { only: "DELETE" },
};

const trigger = (table: string, event: string, of = "") =>
  `CREATE TRIGGER access_${table}_${event.toLowerCase()} AFTER ${event}${of} ON ${table} BEGIN UPDATE access_version SET number = number + 1; END;`;

export const accessVersionMigration = `CREATE TABLE access_version (number INTEGER NOT NULL);
  INSERT INTO access_version VALUES (1);
  ${Object.entries(counts)
    .flatMap(([table, { updates, only }]) => {
      const deleted = trigger(table, "DELETE");
      return only ? [deleted] : [trigger(table, "INSERT"), trigger(table, "UPDATE", updates && ` OF ${updates}`), deleted];
    })
    .join("\n  ")}`;
