/** Which of S3's object events any trail wants now: by synchronous reads, for the front door's thread. */
import { DatabaseSync } from "node:sqlite";
import { type EventFacts, isWanted, type SpanRules, wantsData } from "./selectors.ts";

export interface DataRules {
  /** False at once where no trail asks for any. */
  wants(accountId: string, event: () => EventFacts): boolean;
  close(): void;
}

/** Rules are read again only when the store has changed. Throws where the database or its tables are not there yet. */
export function openDataRules(databasePath: string): DataRules {
  const database = new DatabaseSync(databasePath, { readOnly: true, timeout: 5000 });
  const version = database.prepare("PRAGMA data_version");
  const spans = database.prepare(
    "SELECT t.account_id, s.rules FROM trail_spans s JOIN trails t ON t.arn = s.trail_arn WHERE s.to_event IS NULL",
  );
  let known: number | undefined;
  let rules: { accountId: string; rules: SpanRules }[] = [];
  return {
    wants(accountId, event) {
      const { data_version: now } = version.get() as { data_version: number };
      if (now !== known) {
        const rows = spans.all() as { account_id: string; rules: string }[];
        rules = rows
          .map((row) => ({ accountId: row.account_id, rules: JSON.parse(row.rules) as SpanRules }))
          .filter((row) => wantsData(row.rules));
        known = now;
      }
      const own = rules.filter((rule) => rule.accountId === accountId);
      if (own.length === 0) return false;
      const facts = event();
      return own.some((rule) => isWanted(rule.rules, facts));
    },
    close: () => database.close(),
  };
}
