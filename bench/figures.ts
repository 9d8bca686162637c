/** What a bench has measured, and how it is shown. */

export interface Figure {
  /** The bench's name on the command line. */
  bench: string;
  /** What was measured. */
  what: string;
  unit: "s" | "ms" | "MB" | "% of a core" | "/s";
  /** Median of the rounds. */
  ours: number;
  times?: Times;
  /** What it is measured against, and its median in the same rounds. Without one, the figure stands alone. */
  floor?: { what: string; value: number; times?: Times };
  /** What the project wants: at most so many times the floor, or at most so much more than it (in `unit`); of a speed, at least so many times. */
  goal?: { times: number } | { more: number } | { atLeast: number };
  /** Ours to the floor, where it is more than that of the two numbers: the median of what each round gave. */
  ratio?: number;
  rounds: number;
}

/** Of single requests: what half of them take at most, and 99 of 100; milliseconds. */
export interface Times {
  p50: number;
  p99: number;
}

export function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle]! : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}

/** Does the figure reach its goal? undefined where it has none. */
export function isReached(figure: Figure): boolean | undefined {
  const { ours, floor, goal } = figure;
  if (!floor || !goal) return undefined;
  if ("more" in goal) return ours <= floor.value + goal.more;
  return "atLeast" in goal ? ratioOf(figure, floor) >= goal.atLeast : ratioOf(figure, floor) <= goal.times;
}

const ratioOf = ({ ours, ratio }: Figure, floor: { value: number }): number => ratio ?? ours / floor.value;

function wantedOf(goal: NonNullable<Figure["goal"]>, unit: Figure["unit"]): string {
  if ("atLeast" in goal) return `at least ${goal.atLeast} times`;
  return "times" in goal ? `at most ${goal.times} times` : `at most +${goal.more} ${unit}`;
}

/** Each figure beside its floor: a Markdown table, so that it can go into a document as it is. */
export function table(figures: Figure[]): string {
  const rows = figures.map((figure) => {
    const { bench, what, unit, ours, times, floor, goal } = figure;
    const amount = (value: number, of?: Times) => {
      const text = `${value.toFixed(unit === "MB" || unit === "/s" ? 0 : 2)}${unit === "/s" ? "" : " "}${unit}`;
      return of ? `${text} (p50 ${of.p50.toFixed(1)}, p99 ${of.p99.toFixed(1)} ms)` : text;
    };
    const more = floor && unit !== "/s" ? `, ${ours < floor.value ? "-" : "+"}${amount(Math.abs(ours - floor.value))}` : "";
    const ratio = floor ? `${ratioOf(figure, floor).toFixed(unit === "/s" ? 1 : 2)} times${more}` : "";
    const wanted = goal ? wantedOf(goal, unit) : "";
    const verdict = { true: ": yes", false: ": no", undefined: "" }[String(isReached(figure))];
    return [
      bench,
      what,
      amount(ours, times),
      floor ? `${floor.what}: ${amount(floor.value, floor.times)}` : "",
      ratio,
      `${wanted}${verdict}`,
    ];
  });
  const all = [["bench", "figure", "ours", "beside", "ratio", "goal"], ...rows];
  const widths = all[0]!.map((_, column) => Math.max(...all.map((row) => row[column]!.length)));
  const line = (cells: string[]) => `| ${cells.map((cell, column) => cell.padEnd(widths[column]!)).join(" | ")} |`;
  return [line(all[0]!), `|${widths.map((width) => "-".repeat(width + 2)).join("|")}|`, ...all.slice(1).map(line)].join("\n");
}
