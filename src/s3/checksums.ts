/** The checksums that S3 clients send with an object, over a stream. */
import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";

/** Digests are big-endian bytes; in headers and trailers they are base64. */
export interface Checksum {
  update(chunk: Buffer): void;
  digest(): Buffer;
}

class Crc32 implements Checksum {
  private value = 0;

  update(chunk: Buffer): void {
    this.value = crc32(chunk, this.value);
  }

  digest(): Buffer {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(this.value >>> 0);
    return bytes;
  }
}

/** A table for a reflected CRC of 64 bits, in halves, because numbers hold 53 bits and BigInt is slow. Shorter CRCs use the low half. */
function crcTable(polynomial: bigint): { low: Int32Array; high: Int32Array } {
  const [low, high] = [new Int32Array(256), new Int32Array(256)];
  for (let byte = 0; byte < 256; byte++) {
    let value = BigInt(byte);
    for (let bit = 0; bit < 8; bit++) value = value & 1n ? (value >> 1n) ^ polynomial : value >> 1n;
    low[byte] = Number(BigInt.asIntN(32, value));
    high[byte] = Number(BigInt.asIntN(32, value >> 32n));
  }
  return { low, high };
}

/** Castagnoli's polynomial, reflected. */
const castagnoli = crcTable(0x82f63b78n);

class Crc32c implements Checksum {
  private value = -1;

  update(chunk: Buffer): void {
    const table = castagnoli.low;
    let value = this.value;
    for (let i = 0; i < chunk.length; i++) value = table[(value ^ chunk[i]!) & 0xff]! ^ (value >>> 8);
    this.value = value;
  }

  digest(): Buffer {
    const bytes = Buffer.alloc(4);
    bytes.writeInt32BE(~this.value);
    return bytes;
  }
}

/** The NVM Express polynomial, reflected. */
const nvme = crcTable(0x9a6c9329ac4bc9b5n);

class Crc64Nvme implements Checksum {
  private low = -1;
  private high = -1;

  update(chunk: Buffer): void {
    let { low, high } = this;
    for (let i = 0; i < chunk.length; i++) {
      const at = (low ^ chunk[i]!) & 0xff;
      low = nvme.low[at]! ^ ((low >>> 8) | (high << 24));
      high = nvme.high[at]! ^ (high >>> 8);
    }
    this.low = low;
    this.high = high;
  }

  digest(): Buffer {
    const bytes = Buffer.alloc(8);
    bytes.writeInt32BE(~this.high, 0);
    bytes.writeInt32BE(~this.low, 4);
    return bytes;
  }
}

class Hash implements Checksum {
  private readonly hash;

  constructor(algorithm: string) {
    this.hash = createHash(algorithm);
  }

  update(chunk: Buffer): void {
    this.hash.update(chunk);
  }

  digest(): Buffer {
    return this.hash.digest();
  }
}

/** By the last part of the header's name: `x-amz-checksum-crc32c`. */
export const checksums: Record<string, () => Checksum> = {
  crc32: () => new Crc32(),
  crc32c: () => new Crc32c(),
  crc64nvme: () => new Crc64Nvme(),
  sha1: () => new Hash("sha1"),
  sha256: () => new Hash("sha256"),
  md5: () => new Hash("md5"),
};

export const checksumPrefix = "x-amz-checksum-";
