/**
 * When each node's agent was last heard of, by the steady clock. Known to this process only, so that a report without news costs no write; to another
 * control plane all count as heard of when it begins, for nobody could reach it before.
 */
export interface Silence {
  readonly limits: SilenceLimits;
  /** Its agent has reported (`seq`: the number of the report). How long it had been silent, where that had been told; else 0. */
  begin(instanceId: string, seq?: number): number;
  /** The number of the newest report that came; 0 where none has. */
  latest(instanceId: string): number;
  /** Milliseconds; 0 when first asked. */
  of(instanceId: string): number;
  /** Whether that it has been silent for so long is to be told: once in a silence. */
  tells(instanceId: string, ms: number): boolean;
  /** Those of these that have been silent for so long, or for longer, since that was told. All others are forgotten. */
  untold(instanceIds: readonly string[], ...ms: number[]): string[];
  /** Nobody listened for so long: that is nobody's silence. */
  excuse(ms: number): void;
}

/** Milliseconds. */
export interface SilenceLimits {
  /** Of a node in use: until an event says so. */
  told: number;
  /** Of a core or task node in use: until it counts as lost. */
  lost: number;
  /** By how much the watch may be late: this process was stopped where it is later. */
  late: number;
}

/** `lost`: as SilenceLimits has it. Real agents report every 5 s. */
export const silenceLimits = (lost: number): SilenceLimits => ({ told: Math.min(15_000, lost / 2), lost, late: 5_000 });

/** `limits`: none where they are not given, for who simulates nodes that always answer. */
export function createSilence(steady: () => number, limits: SilenceLimits = { told: Infinity, lost: Infinity, late: Infinity }): Silence {
  let heard = new Map<string, { at: number; seq: number; told: number }>();
  function entry(id: string) {
    const known = heard.get(id) ?? { at: steady(), seq: 0, told: 0 };
    heard.set(id, known);
    return known;
  }
  return {
    limits,
    begin(id, seq) {
      const { at, seq: last, told } = entry(id);
      heard.set(id, { at: steady(), seq: Math.max(seq ?? 0, last), told: 0 });
      return told > 0 ? steady() - at : 0;
    },
    latest: (id) => heard.get(id)?.seq ?? 0,
    of: (id) => steady() - entry(id).at,
    tells(id, ms) {
      const one = entry(id);
      if (steady() - one.at < ms || one.told >= ms) return false;
      one.told = ms;
      return true;
    },
    untold(ids, ...ms) {
      heard = new Map(ids.map((id) => [id, entry(id)]));
      return ids.filter((id) => {
        const { at, told } = heard.get(id)!;
        return ms.some((one) => one > told && steady() - at >= one);
      });
    },
    excuse(ms) {
      const now = steady();
      for (const one of heard.values()) one.at = Math.min(now, one.at + ms);
    },
  };
}
