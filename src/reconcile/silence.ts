/**
 * When each node's agent was last heard of, by the steady clock. Known to this process only, so that a report without news costs no write; to another
 * control plane all count as heard of when it begins, for nobody could reach it before.
 */
export interface Silence {
  /** Its agent has reported (`seq`: the number of the report), or its silence was told of: it begins anew. */
  begin(instanceId: string, seq?: number): void;
  /** The number of the newest report that came; 0 where none has. */
  latest(instanceId: string): number;
  /** Milliseconds; 0 when first asked. */
  of(instanceId: string): number;
  /** Those of these that have been silent for so long. All others are forgotten. */
  longest(instanceIds: readonly string[], ms: number): string[];
}

export function createSilence(steady: () => number): Silence {
  let heard = new Map<string, { at: number; seq: number }>();
  function entry(id: string) {
    const known = heard.get(id) ?? { at: steady(), seq: 0 };
    heard.set(id, known);
    return known;
  }
  return {
    begin(id, seq) {
      heard.set(id, { at: steady(), seq: Math.max(seq ?? 0, heard.get(id)?.seq ?? 0) });
    },
    latest: (id) => heard.get(id)?.seq ?? 0,
    of: (id) => steady() - entry(id).at,
    longest(ids, ms) {
      heard = new Map(ids.map((id) => [id, entry(id)]));
      return ids.filter((id) => steady() - heard.get(id)!.at >= ms);
    },
  };
}
