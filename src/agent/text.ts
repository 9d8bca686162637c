/** Text for people and for shells: parts of logs that tell what went wrong, and words. */
import { closeSync, fstatSync, openSync, readSync } from "node:fs";

/** The last non-blank lines of a file, at most `count` and `bytes`; empty where there is no file. */
export function lastLines(file: string, count: number, bytes = 8192): string[] {
  let fd: number;
  try {
    fd = openSync(file, "r");
  } catch {
    return [];
  }
  try {
    const size = fstatSync(fd).size;
    const buffer = Buffer.alloc(Math.min(size, bytes));
    readSync(fd, buffer, 0, buffer.length, size - buffer.length);
    const lines = buffer
      .toString("utf8")
      .split("\n")
      .filter((line) => line.trim());
    return lines.slice(-count);
  } finally {
    closeSync(fd);
  }
}

/**
 * The reason in a program's stderr: its last exception, else that of `stdout` (where spark-submit puts all that a Python driver writes),
 * else the last line logged as an error, else the last lines. At most 1000 characters.
 */
export function tellingLines(stderr: string, stdout?: string): string {
  const lines = lastLines(stderr, 200);
  const trace = /^\s*(at |\.\.\. \d+ more|File ")/;
  const isException = (line: string) => /\b[\w.]*(Exception|Error)\b(:|$)|\berror:|^Caused by:/i.test(line) && !trace.test(line);
  const reason =
    lines.findLast(isException) ??
    (stdout ? lastLines(stdout, 200).findLast(isException) : undefined) ??
    lines.findLast((line) => /\b(ERROR|FATAL)\b/.test(line));
  return (reason ? reason.trim() : lines.slice(-3).join("\n")).slice(0, 1000);
}

/** A word as a shell needs it. */
export const quote = (word: string): string => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`);

/** Why a daemon ended. Log4j's daemons write to a `.log` beside what they print (`.out`); of a taken port the line that has its number. */
export function daemonReason(out: string): { message: string; logFile: string } {
  const log = out.replace(/\.out$/, ".log");
  const bind = lastLines(log, 150, 32_768).findLast((line) => /BindException: .*:\d+/.test(line));
  const logFile = lastLines(log, 1).length > 0 ? log : out;
  return { message: bind?.trim().slice(0, 1000) ?? tellingLines(logFile, out), logFile };
}
