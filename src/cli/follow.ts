/** Follows files as they grow, over rotation: what `tail -F` does, for a set of files that changes. */
import { closeSync, fstatSync, openSync, readSync, statSync } from "node:fs";

export interface Followed {
  path: string;
  /** Goes before each line; undefined: the file's bytes as they are. */
  label: string | undefined;
  /** How many of the last lines to begin with; undefined: all. */
  lines?: number | undefined;
}

interface Open {
  fd: number;
  inode: number;
  offset: number;
  /** A line that has begun. */
  rest: Buffer;
}

const pieceSize = 65_536;

export function createFollower(write: (text: string | Uint8Array) => Promise<void>) {
  const open = new Map<string, Open>();

  async function read(file: Open, label: string | undefined): Promise<void> {
    if (fstatSync(file.fd).size < file.offset) file.offset = 0; // Emptied.
    const piece = Buffer.alloc(pieceSize);
    for (let n; (n = readSync(file.fd, piece, 0, pieceSize, file.offset)) > 0;) {
      file.offset += n;
      if (label === undefined) {
        await write(Buffer.from(piece.subarray(0, n)));
        continue;
      }
      const text = Buffer.concat([file.rest, piece.subarray(0, n)]);
      const end = text.lastIndexOf(10) + 1;
      file.rest = Buffer.from(text.subarray(end));
      if (end > 0) await write(withLabel(label, text.subarray(0, end)));
    }
  }

  async function close(path: string, label: string | undefined): Promise<void> {
    const file = open.get(path);
    if (!file) return;
    open.delete(path);
    await read(file, label);
    closeSync(file.fd);
    if (file.rest.length > 0) await write(`${label} ${file.rest.toString()}\n`);
  }

  return {
    /** Writes what is new in each of them. One that was replaced since is first read to its end. */
    async look(files: Followed[]): Promise<void> {
      for (const { path, label, lines } of files) {
        const inode = statSync(path, { throwIfNoEntry: false })?.ino;
        const known = open.get(path);
        if (known && known.inode !== inode) await close(path, label);
        if (inode !== undefined && !open.has(path)) {
          const fd = openSync(path, "r");
          const offset = known || lines === undefined ? 0 : startOfLast(fd, lines);
          open.set(path, { fd, inode: fstatSync(fd).ino, offset, rest: Buffer.alloc(0) });
        }
        const file = open.get(path);
        if (file) await read(file, label);
      }
    },
    /** Writes the rest, also of lines without an end. */
    async finish(files: Followed[]): Promise<void> {
      await this.look(files);
      const labels = new Map(files.map(({ path, label }) => [path, label]));
      for (const path of open.keys()) await close(path, labels.get(path));
    },
  };
}

const withLabel = (label: string, lines: Buffer): string =>
  lines
    .toString()
    .split("\n")
    .slice(0, -1)
    .map((line) => `${label} ${line}\n`)
    .join("");

/** Where the last `count` lines of a file begin. */
export function startOfLast(fd: number, count: number): number {
  const { size } = fstatSync(fd);
  const piece = Buffer.alloc(pieceSize);
  let found = 0;
  for (let end = size; end > 0;) {
    const start = Math.max(0, end - pieceSize);
    readSync(fd, piece, 0, end - start, start);
    for (let i = end - start - 1; i >= 0; i--) {
      if (piece[i] !== 10 || start + i === size - 1) continue;
      if (++found === count) return start + i + 1;
    }
    end = start;
  }
  return count === 0 ? size : 0;
}
