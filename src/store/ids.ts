/** EMR's and EC2's id forms. `random` gives n random bytes: injected, so that a simulation repeats. */
import { randomBytes } from "node:crypto";

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

export type RandomBytes = (n: number) => Uint8Array;

const pooledAtOnce = 4096;
let pool = Buffer.alloc(0);

/** Of a supply: to ask for a few takes as long as to ask for many. */
function pooledBytes(n: number): Uint8Array {
  if (pool.length < n) pool = randomBytes(Math.max(n, pooledAtOnce));
  const bytes = pool.subarray(0, n);
  pool = pool.subarray(n);
  return bytes;
}

export function makeIds(random: RandomBytes = pooledBytes) {
  /** 13 of A-Z0-9; bytes over 251 are dropped, so that every character is as likely. */
  const upper = (length: number): string => {
    let text = "";
    while (text.length < length) for (const byte of random(length)) if (byte < 252 && text.length < length) text += alphabet[byte % 36];
    return text;
  };
  const hex = (length: number) =>
    Buffer.from(random(Math.ceil(length / 2)))
      .toString("hex")
      .slice(0, length);
  return {
    cluster: () => `j-${upper(13)}`,
    step: () => `s-${upper(13)}`,
    instanceGroup: () => `ig-${upper(13)}`,
    instanceFleet: () => `if-${upper(13)}`,
    clusterInstance: () => `ci-${upper(13)}`,
    instance: () => `i-${hex(17)}`,
    /** vpc-…, subnet-…, sg-…: whatever EC2 has. */
    ec2: (prefix: string) => `${prefix}-${hex(17)}`,
    /** 12 digits. */
    account: () => (100_000_000_000n + (BigInt(`0x${hex(16)}`) % 900_000_000_000n)).toString(),
    /** A unique id of IAM: `prefix` (AIDA, AROA, …) and 17 characters. */
    iam: (prefix: string) => `${prefix}${upper(17)}`,
    accessKey: () => `AKIA${upper(16)}`,
    temporaryAccessKey: () => `ASIA${upper(16)}`,
    /** Secrets and tokens: 240 bits. */
    secret: () => Buffer.from(random(30)).toString("base64"),
    /** Version 4, of RFC 9562. */
    uuid: () => {
      const bytes = Buffer.from(random(16));
      bytes[6] = (bytes[6]! & 0x0f) | 0x40;
      bytes[8] = (bytes[8]! & 0x3f) | 0x80;
      return bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
    },
    token: () => Buffer.from(random(48)).toString("base64url"),
  };
}

export type Ids = ReturnType<typeof makeIds>;
