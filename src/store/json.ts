/** JSON of columns that are read far more often than they are written. */

const known = new Map<string, unknown>();
const mostKnown = 2_000;

/** What `text` says. Whoever reads the same text has the same object, and nobody can change it. */
export function parsed<T>(text: string): T {
  const found = known.get(text);
  if (found !== undefined) return found as T;
  const value = frozen(JSON.parse(text) as T);
  if (known.size >= mostKnown) known.clear();
  known.set(text, value);
  return value;
}

function frozen<T>(value: T): T {
  if (typeof value !== "object" || value === null) return value;
  for (const part of Object.values(value)) frozen(part);
  return Object.freeze(value);
}
