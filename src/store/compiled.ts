/** Queries that are asked again and again: their SQL is made once, which takes Kysely longer than SQLite takes to carry them out. */
import { type Compilable, type CompiledQuery, type Kysely } from "kysely";
import type { Schema } from "./schema.ts";
import type { Db } from "./store.ts";

type Value = string | number | null;

/** Stands for a value in a query that is being made. */
class Placeholder {
  readonly name: PropertyKey;

  constructor(name: PropertyKey) {
    this.name = name;
  }
}

/**
 * A function that asks what `build` builds, with these values. `build` is run once: `value` gives what stands for a value wherever Kysely takes one, and the
 * query has the same SQL whatever the values are.
 */
export function compiled<Values extends Record<string, Value>, Row>(
  build: (db: Kysely<Schema>, value: <Name extends keyof Values>(name: Name) => Values[Name]) => Compilable<Row>,
): (db: Db, values: Values) => Promise<Row[]> {
  let made: CompiledQuery<Row> | undefined;
  return async (db, values) => {
    made ??= build(db, (name) => new Placeholder(name) as never).compile();
    const parameters = made.parameters.map((given) => (given instanceof Placeholder ? values[given.name as keyof Values] : given));
    return (await db.executeQuery<Row>({ ...made, parameters })).rows;
  };
}
