/** What a request is like, in the words that conditions use. Source: IAM User Guide, "Request context" and "Condition keys". */

/** A list is a key of many values, such as aws:TagKeys; it may be empty. */
export type ContextValue = string | readonly string[];

/** By `contextNames`: write it with `contextOf` only. A key that a request does not have is not in it. */
export type Context = ReadonlyMap<string, ContextValue>;

/** Key names are the same whatever their case. A tag's key is looked for as it is written first, for a resource may have `Team` and `team`. */
export function contextNames(key: string): readonly string[] {
  const lower = key.toLowerCase();
  const at = key.indexOf("/");
  if (at < 0) return [lower];
  const exact = lower.slice(0, at + 1) + key.slice(at + 1);
  return exact === lower ? [lower] : [exact, lower];
}

export function contextOf(entries: Iterable<readonly [string, ContextValue | undefined]>, base?: Context): Context {
  const context = new Map(base);
  for (const [key, value] of entries) {
    if (value === undefined) continue;
    const [exact, lower] = contextNames(key);
    context.set(exact!, value);
    if (lower !== undefined && !context.has(lower)) context.set(lower, value);
  }
  return context;
}

export function lookUp(context: Context, names: readonly string[]): ContextValue | undefined {
  for (const name of names) {
    const value = context.get(name);
    if (value !== undefined) return value;
  }
  return undefined;
}
