/** Whose a bucket is, and its policy: by synchronous reads, for the front door's thread. */
import { DatabaseSync } from "node:sqlite";

export interface BucketFacts {
  /** `known`: an account has made it by Howdah. Every other bucket is the first account's. */
  find(name: string): { accountId: string; policy: string | undefined; known: boolean };
}

/** Throws where the database or its tables are not there yet. */
export function openBucketFacts(databasePath: string): BucketFacts & { close(): void } {
  const database = new DatabaseSync(databasePath, { readOnly: true, timeout: 5000 });
  const bucket = database.prepare("SELECT account_id, policy FROM buckets WHERE name = ?");
  const first = database.prepare("SELECT id FROM accounts ORDER BY created_at, rowid LIMIT 1");
  return {
    find(name) {
      const row = bucket.get(name) as { account_id: string; policy: string | null } | undefined;
      if (row) return { accountId: row.account_id, policy: row.policy ?? undefined, known: true };
      return { accountId: (first.get() as { id: string } | undefined)?.id ?? "", policy: undefined, known: false };
    },
    close: () => database.close(),
  };
}
