/** Whom an S3 request of EMRFS counts as, by the role mappings of its cluster: by synchronous reads, for the front door's thread. */
import { DatabaseSync } from "node:sqlite";
import { iamArn, sessionArn } from "./arns.ts";
import { cannotTake, firstFit, type RoleMapping, type S3Place } from "./emrfs-mappings.ts";
import type { PolicySource, Principal } from "./principal.ts";
import { assumeProblem } from "./trust.ts";

/** Who a request is authorised and recorded as, or why nobody: the mapped role cannot be taken. */
export type Actor = Principal | { problem: string };

export interface EmrfsRoles {
  /** For one request, whose facts are read once. Without a cluster's mappings everybody is who signs. */
  actorsOf(principal: Principal): (place: S3Place) => Actor;
}

interface RoleRow {
  id: string;
  account_id: string;
  kind: "role";
  name: string;
  path: string;
  trust: string | null;
}

/** Throws where the database or its tables are not there yet. */
export function openEmrfsRoles(databasePath: string, policies: PolicySource): EmrfsRoles & { close(): void } {
  const database = new DatabaseSync(databasePath, { readOnly: true, timeout: 5000 });
  const mappingsOf = database.prepare("SELECT spec ->> '$.emrfsRoles' AS mappings FROM clusters WHERE id = ?");
  const roleNamed = database.prepare(
    "SELECT id, account_id, kind, name, path, trust FROM iam_entities WHERE account_id = ? AND kind = 'role' AND name = ?",
  );
  const isThere = database.prepare("SELECT 1 FROM iam_entities WHERE id = ?");
  const tags = database.prepare("SELECT key, value FROM iam_tags WHERE entity_id = ?");

  function findRole(arn: string): RoleRow | undefined {
    const [, accountId, name] = /^arn:aws:iam::(\d{12}):role\/(?:.*\/)?([^/]+)$/.exec(arn) ?? [];
    const row = accountId && name ? (roleNamed.get(accountId, name) as RoleRow | undefined) : undefined;
    return row && iamArn(row) === arn ? row : undefined;
  }

  function take(own: Principal, arn: string): Actor {
    const role = findRole(arn);
    if (!role) return { problem: `there is no role ${arn}` };
    // A session outlives its role: one that is gone assumes nothing, whatever a trust policy says of its name.
    if (!own.role || !isThere.get(own.role.id)) return { problem: "the role of the cluster's instance profile is not there any more" };
    const problem = assumeProblem(own, policies.grantsOf(own), role);
    if (problem !== undefined) return { problem };
    const { emrfs: _, ...session } = own;
    const { account_id: accountId, id, name } = role;
    const rows = tags.all(id) as { key: string; value: string }[];
    return {
      ...session,
      accountId,
      arn: sessionArn(accountId, name, own.sessionName ?? ""),
      id: `${id}:${own.sessionName ?? ""}`,
      role: { arn, name, id },
      tags: Object.fromEntries(rows.map(({ key, value }) => [key, value])),
      sessionPolicies: [],
    };
  }

  return {
    actorsOf(principal) {
      const user = principal.emrfs;
      const row = user && (mappingsOf.get(principal.clusterId) as { mappings: string | null } | undefined);
      const mappings = JSON.parse(row?.mappings ?? "[]") as RoleMapping[];
      const actors = new Map<RoleMapping, Actor>();
      return (place) => {
        const mapping = user && firstFit(mappings, user, place);
        if (!mapping) return principal;
        let actor = actors.get(mapping);
        if (!actor) {
          const taken = take(principal, mapping.role);
          actor = "problem" in taken ? { problem: cannotTake(mapping, user, taken.problem) } : taken;
          actors.set(mapping, actor);
        }
        return actor;
      };
    },
    close: () => database.close(),
  };
}
