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

/**
 * As `compiled`, of a query whose SQL hangs on which values it is given, as an update of some of a table's columns: `build` is run once for each set of
 * names, with what stands for the values. What is undefined is not given.
 */
export function compiledByNames<Values extends object, Row = unknown>(
  build: (db: Kysely<Schema>, given: Partial<Values>) => Compilable<Row>,
): (db: Db, values: { [Name in keyof Values]?: Values[Name] | undefined }) => Promise<Row[]> {
  const made = new Map<string, ReturnType<typeof compiled<Record<string, Value>, Row>>>();
  return (db, values) => {
    const names = Object.entries(values).flatMap(([name, value]) => (value === undefined ? [] : [name]));
    const key = names.join();
    let query = made.get(key);
    if (!query) {
      query = compiled((any, value) => build(any, Object.fromEntries(names.map((name) => [name, value(name)])) as Partial<Values>));
      made.set(key, query);
    }
    return query(db, values as Record<string, Value>);
  };
}
