/** What a bench has measured, and how it is shown. */

export interface Figure {
  /** The bench's name on the command line. */
  bench: string;
  /** What was measured. */
  what: string;
  unit: "s" | "MB" | "% of a core";
  /** Median of the rounds. */
  ours: number;
  /** What it is measured against, and its median in the same rounds. Without one, the figure stands alone. */
  floor?: { what: string; value: number };
  /** What the project wants: at most so many times the floor, or at most so much more than it (in `unit`). */
  goal?: { times: number } | { more: number };
  rounds: number;
}

export function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle]! : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}

/** Does the figure reach its goal? undefined where it has none. */
export function isReached({ ours, floor, goal }: Figure): boolean | undefined {
  if (!floor || !goal) return undefined;
  return "times" in goal ? ours <= goal.times * floor.value : ours <= floor.value + goal.more;
}

/** Each figure beside its floor: a Markdown table, so that it can go into a document as it is. */
export function table(figures: Figure[]): string {
  const rows = figures.map((figure) => {
    const { bench, what, unit, ours, floor, goal } = figure;
    const amount = (value: number) => `${value.toFixed(unit === "MB" ? 0 : 2)} ${unit}`;
    const ratio = floor
      ? `${(ours / floor.value).toFixed(2)} times, ${ours < floor.value ? "-" : "+"}${amount(Math.abs(ours - floor.value))}`
      : "";
    const wanted = !goal ? "" : "times" in goal ? `at most ${goal.times} times` : `at most +${goal.more} ${unit}`;
    const verdict = { true: ": yes", false: ": no", undefined: "" }[String(isReached(figure))];
    return [bench, what, amount(ours), floor ? `${floor.what}: ${amount(floor.value)}` : "", ratio, `${wanted}${verdict}`];
  });
  const all = [["bench", "figure", "ours", "beside", "ratio", "goal"], ...rows];
  const widths = all[0]!.map((_, column) => Math.max(...all.map((row) => row[column]!.length)));
  const line = (cells: string[]) => `| ${cells.map((cell, column) => cell.padEnd(widths[column]!)).join(" | ")} |`;
  return [line(all[0]!), `|${widths.map((width) => "-".repeat(width + 2)).join("|")}|`, ...all.slice(1).map(line)].join("\n");
}
