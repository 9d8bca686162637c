/** Times that users see of one thing stand in their order, though somebody sets the clock back between two of them. */
import { type RawBuilder, sql } from "kysely";

/** `at`, or the latest of `earlier` where that is later: times, and columns of the row that is updated. null stays null. */
export function notBefore<T extends number | null>(at: T, ...earlier: (string | number | null)[]): RawBuilder<T> {
  const times = earlier.map((one) => sql`coalesce(${typeof one === "string" ? sql.ref(one) : one}, 0)`);
  return sql<T>`max(${sql.join([at, ...times])})`;
}
