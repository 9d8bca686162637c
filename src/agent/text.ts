/** Parts of logs that tell what went wrong. */
import { closeSync, fstatSync, openSync, readSync } from "node:fs";

/** The last non-blank lines of a file, at most `count` and 8 KiB; empty where there is no file. */
export function lastLines(file: string, count: number): string[] {
  let fd: number;
  try {
    fd = openSync(file, "r");
  } catch {
    return [];
  }
  try {
    const size = fstatSync(fd).size;
    const buffer = Buffer.alloc(Math.min(size, 8192));
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

/** The reason in a program's stderr: its last exception or error line, else its last lines. At most 1000 characters. */
export function tellingLines(file: string): string {
  const lines = lastLines(file, 200);
  const trace = /^\s*(at |\.\.\. \d+ more|File ")/;
  const reason = lines.findLast((line) => /\b[\w.]*(Exception|Error)\b(:|$)|\berror:|^Caused by:/i.test(line) && !trace.test(line));
  return (reason ? reason.trim() : lines.slice(-3).join("\n")).slice(0, 1000);
}
