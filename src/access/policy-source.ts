/** PolicySource over the store's tables: by synchronous reads, so that the S3 front door's thread can decide, too. */
import { DatabaseSync } from "node:sqlite";
import { awsManagedPolicy } from "./aws-managed-policies.ts";
import type { Grants, NamedPolicy, PolicySource, Principal } from "./principal.ts";
import { untilChanged } from "./until-changed.ts";

/** What stands for a policy that is gone: it allows nothing. */
const nothing = '{"Version":"2012-10-17","Statement":[]}';

const nobodys = { identity: [], boundary: undefined };

/** A managed policy's document by its ARN, as it is now. */
export function documents(database: DatabaseSync): (policyArn: string) => string {
  const find = database.prepare("SELECT document FROM iam_policy_versions WHERE policy_arn = ? AND is_default = 1");
  return (policyArn) =>
    awsManagedPolicy(policyArn)?.document ?? (find.get(policyArn) as { document: string } | undefined)?.document ?? nothing;
}

/** Throws where the database or its tables are not there yet. */
export function openPolicySource(databasePath: string): PolicySource & { close(): void } {
  const database = new DatabaseSync(databasePath, { readOnly: true, timeout: 5000 });
  const documentOf = documents(database);
  // A user's groups count as the user itself; a role has none.
  const owners = "SELECT ?1 UNION ALL SELECT group_id FROM iam_group_members WHERE user_id = ?1";
  const all = database.prepare(
    `SELECT (SELECT json_group_array(policy_arn) FROM (SELECT DISTINCT policy_arn FROM iam_attachments WHERE entity_id IN (${owners}))) AS attached,
       (SELECT json_group_array(json_object('name', name, 'text', document)) FROM iam_inline_policies WHERE entity_id IN (${owners})) AS inline,
       (SELECT boundary_arn FROM iam_entities WHERE id = ?1) AS boundary`,
  );

  const kept = untilChanged(database);

  function read(id: string): Omit<Grants, "session"> {
    const { attached, inline, boundary } = all.get(id) as { attached: string; inline: string; boundary: string | null };
    const managed = (arn: string): NamedPolicy => ({ name: arn, text: documentOf(arn) });
    return {
      identity: [...(JSON.parse(attached) as string[]).map(managed), ...(JSON.parse(inline) as NamedPolicy[])],
      boundary: boundary === null ? undefined : managed(boundary),
    };
  }

  return {
    grantsOf(principal) {
      const id = deciding(principal);
      return { ...(id === undefined ? nobodys : kept(id, () => read(id))), session: principal.sessionPolicies };
    },
    close: () => database.close(),
  };
}

/** Whose policies decide: the user's, or the role's of a session. */
function deciding(principal: Principal): string | undefined {
  return principal.type === "AssumedRole" ? principal.role?.id : principal.type === "IAMUser" ? principal.id : undefined;
}
