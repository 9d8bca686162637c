/** Whose a bucket is, its policy and its tags: by synchronous reads, for the front door's thread. */
import { DatabaseSync } from "node:sqlite";

export interface BucketFacts {
  /** `known`: an account has made it by Howdah. Every other bucket is the first account's. */
  find(name: string): { accountId: string; policy: string | undefined; tags: string | undefined; known: boolean };
  /** Whether a policy may name this user or role: one of an account of Howdah's must be there. Of other accounts nothing is known. */
  isPrincipal(name: string): boolean;
}

/** Throws where the database or its tables are not there yet. */
export function openBucketFacts(databasePath: string): BucketFacts & { close(): void } {
  const database = new DatabaseSync(databasePath, { readOnly: true, timeout: 5000 });
  const bucket = database.prepare("SELECT account_id, policy, tags FROM buckets WHERE name = ?");
  const first = database.prepare("SELECT id FROM accounts ORDER BY created_at, rowid LIMIT 1");
  const account = database.prepare("SELECT 1 FROM accounts WHERE id = ?");
  const entity = database.prepare("SELECT path FROM iam_entities WHERE account_id = ? AND kind = ? AND name = ?");
  const entityById = database.prepare("SELECT 1 FROM iam_entities WHERE id = ?");
  return {
    isPrincipal(name) {
      if (!name.startsWith("arn:")) return /^\d{12}$/.test(name) || entityById.get(name) !== undefined;
      const [, accountId = "", kind = "", path = "", called = ""] = /^arn:[^:]*:iam::(\d{12}):(user|role)(\/.*?)([^/]+)$/.exec(name) ?? [];
      // Sessions come and go.
      if (kind === "" || !account.get(accountId)) return true;
      return (entity.get(accountId, kind, called) as { path: string } | undefined)?.path === path;
    },
    find(name) {
      const row = bucket.get(name) as { account_id: string; policy: string | null; tags: string | null } | undefined;
      if (row) return { accountId: row.account_id, policy: row.policy ?? undefined, tags: row.tags ?? undefined, known: true };
      return { accountId: (first.get() as { id: string } | undefined)?.id ?? "", policy: undefined, tags: undefined, known: false };
    },
    close: () => database.close(),
  };
}
