/**
 * What SQLite does not say of a write-ahead log: it takes all up to the first frame that is not whole, and drops the rest without a word. Behind a torn
 * end there is no commit; where there is one, it is lost. Format: https://sqlite.org/fileformat2.html#walformat
 */
import { closeSync, fstatSync, openSync, readSync } from "node:fs";

const headerBytes = 32;
const frameHeaderBytes = 24;
const magicLittleEndian = 0x377f0682;

/** The frame, from 1, that is not whole though a commit is behind it; 0: the log's own header. undefined: nothing is lost, or there is no log. */
export function walDamage(databasePath: string): number | undefined {
  const pageSize = pageSizeOf(databasePath);
  const file = openIfThere(`${databasePath}-wal`);
  if (file === undefined) return undefined;
  try {
    const { size } = fstatSync(file);
    const header = Buffer.alloc(headerBytes);
    if (pageSize === undefined || readSync(file, header, 0, headerBytes, 0) < headerBytes) return undefined;
    const littleEndian = header.readUInt32BE(0) === magicLittleEndian;
    const frame = Buffer.alloc(frameHeaderBytes + pageSize);
    const count = Math.floor((size - headerBytes) / frame.length);
    const said = (bytes: Buffer, at: number): Sums => [bytes.readUInt32BE(at), bytes.readUInt32BE(at + 4)];
    let salt = header.subarray(16, 24);
    let bad: number | undefined;
    /** What the next frame's sum may go on from: of a frame that is not whole, its sum may be what is wrong. */
    let before: Sums[] = [said(header, 24)];
    if (!sameSums(checksum(header.subarray(0, 24), [0, 0], littleEndian), before[0]!)) {
      bad = 0;
      readSync(file, frame, 0, frame.length, headerBytes);
      salt = Buffer.from(frame.subarray(8, 16));
    }
    for (let n = 1; n <= count; n++) {
      readSync(file, frame, 0, frame.length, headerBytes + (n - 1) * frame.length);
      const orders = bad === 0 ? [true, false] : [littleEndian];
      const sums = before.flatMap((sum) =>
        orders.map((order) => checksum(frame.subarray(frameHeaderBytes), checksum(frame.subarray(0, 8), sum, order), order)),
      );
      // Frames of an earlier round of the log have another salt.
      const isWhole = frame.subarray(8, 16).equals(salt) && sums.some((sum) => sameSums(sum, said(frame, 16)));
      // What a transaction left that did not come to its commit may be behind later commits, too: only a frame that ends a commit is a loss.
      if (isWhole && bad !== undefined && frame.readUInt32BE(4) !== 0) return bad;
      if (!isWhole) bad ??= n;
      before = isWhole ? [said(frame, 16)] : [said(frame, 16), sums[0]!];
    }
    return undefined;
  } finally {
    closeSync(file);
  }
}

type Sums = [number, number];
const sameSums = (a: Sums, b: Sums): boolean => a[0] === b[0] && a[1] === b[1];

function checksum(bytes: Buffer, [first, second]: Sums, littleEndian: boolean): Sums {
  const word = (at: number) => (littleEndian ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at));
  for (let at = 0; at + 8 <= bytes.length; at += 8) {
    first = (first + word(at) + second) >>> 0;
    second = (second + word(at + 4) + first) >>> 0;
  }
  return [first, second];
}

/** By the database's own header; undefined where it has none. */
function pageSizeOf(path: string): number | undefined {
  const file = openIfThere(path);
  if (file === undefined) return undefined;
  try {
    const header = Buffer.alloc(18);
    if (readSync(file, header, 0, 18, 0) < 18) return undefined;
    const said = header.readUInt16BE(16);
    return said === 1 ? 65_536 : said;
  } finally {
    closeSync(file);
  }
}

function openIfThere(path: string): number | undefined {
  try {
    return openSync(path, "r");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
