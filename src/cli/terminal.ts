/** How things look: on a terminal with colour, links and a line that moves; elsewhere, and with NO_COLOR, plain text only. */
import { styleText } from "node:util";

type Style = Parameters<typeof styleText>[0];

/** styleText itself leaves out colour where standard output is no terminal, and with NO_COLOR. */
export const paint = (style: Style, text: string): string => styleText(style, text);

const controls = () => process.stdout.isTTY === true && process.env.TERM !== "dumb";

/** An address that a terminal opens with a click (OSC 8). */
export const link = (url: string): string =>
  controls() && !process.env.NO_COLOR ? `\u001B]8;;${url}\u001B\\${url}\u001B]8;;\u001B\\` : url;

/** 45s, 12m, 3h, 2d. */
export function age(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 120) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 120) return `${minutes}m`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours}h` : `${Math.floor(hours / 24)}d`;
}

/** 12 B, 3.4 kB, 56 MB. */
export function size(bytes: number): string {
  const units = ["B", "kB", "MB", "GB"];
  let unit = 0;
  let value = bytes;
  for (; value >= 1000 && unit < units.length - 1; unit++) value /= 1000;
  return `${value < 10 && unit > 0 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}

/** 1 node, 2 nodes. */
export const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? "" : noun.endsWith("s") ? "es" : "s"}`;

/** Cells of a column begin below each other; what they are painted with does not count. The last column is as long as it is. */
export function columns(rows: string[][], indent = ""): string[] {
  const width = (text: string) => bare(text).length;
  const widths: number[] = [];
  for (const row of rows) for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, width(cell));
  return rows.map((row) => (indent + row.map((cell, i) => cell + " ".repeat(widths[i]! - width(cell))).join("  ")).trimEnd());
}

/** Without colour and links. */
export const bare = (text: string): string =>
  // oxlint-disable-next-line no-control-regex
  text.replaceAll(/\u001B\[[\d;]*m|\u001B\]8;;[^\u001B]*\u001B\\/g, "");

const patienceMs = 2_000;

/**
 * Says what is going on while `work` is: on a terminal a line with the seconds, which is taken away at the end; elsewhere a line for what takes over
 * two seconds, and one for each thing that `work` says. To standard error, so that output stays what it is.
 */
export async function whileWaiting<T>(what: string, work: (say: (text: string) => void) => Promise<T>): Promise<T> {
  const onTerminal = process.stderr.isTTY === true && process.env.TERM !== "dumb";
  const from = Date.now();
  let text = what;
  const show = () => process.stderr.write(onTerminal ? `\r${text} … ${age(Date.now() - from)}\u001B[K` : `${text} …\n`);
  const timer = onTerminal ? setInterval(show, 250) : setTimeout(show, patienceMs);
  try {
    return await work((more) => {
      text = more;
      show();
      if (!onTerminal) clearTimeout(timer);
    });
  } finally {
    clearInterval(timer);
    if (onTerminal) process.stderr.write("\r\u001B[K");
  }
}

/** Standard output, without filling memory where the reader is slow. */
export async function write(text: string | Uint8Array): Promise<void> {
  if (!process.stdout.write(text)) await new Promise<void>((resolve) => process.stdout.once("drain", () => resolve()));
}

/** The one form of output for programs. */
export const printJson = (value: unknown): void => console.log(JSON.stringify(value, undefined, 2));
