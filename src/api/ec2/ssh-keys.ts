/**
 * SSH keys in the forms that EC2 speaks. Sources: RFC 4253 6.6 and RFC 8709 (public keys), RFC 4716 (SSH2 files), OpenSSH's PROTOCOL.key
 * (private keys), Amazon EC2 User Guide, "Verify the fingerprint of your key pair".
 */
import { createHash, createPublicKey, generateKeyPair, type KeyObject, randomInt } from "node:crypto";
import { promisify } from "node:util";

export type KeyType = "rsa" | "ed25519";

const rsaSizes = [1024, 2048, 4096];
const madeSize = 2048;

const generate = promisify(generateKeyPair);

export interface MadeKey {
  fingerprint: string;
  /** One line, as in authorized_keys. */
  publicKey: string;
  /** As `ssh -i` reads it: PKCS#1 for RSA, OpenSSH's own form for ED25519. */
  privateKey: string;
}

export async function makeKey(type: KeyType, comment: string): Promise<MadeKey> {
  const { publicKey, privateKey } = await (type === "rsa" ? generate("rsa", { modulusLength: madeSize }) : generate("ed25519"));
  const blob = sshBlob(publicKey);
  const line = publicLine(type, blob, comment);
  if (type === "ed25519") return { fingerprint: sha256(blob), publicKey: line, privateKey: opensshPrivateKey(privateKey, blob, comment) };
  const der = privateKey.export({ type: "pkcs8", format: "der" });
  return {
    fingerprint: colons(createHash("sha1").update(der).digest("hex")),
    publicKey: line,
    privateKey: privateKey.export({ type: "pkcs1", format: "pem" }) as string,
  };
}

export interface ReadKey {
  type: KeyType;
  fingerprint: string;
  publicKey: string;
}

/** `material`: an OpenSSH line, an SSH2 file, or PEM or DER of a public key. undefined for what is none, or of a type that EC2 does not take. */
export function readPublicKey(material: Buffer, comment: string): ReadKey | undefined {
  try {
    const key = openPublicKey(material);
    const type = key.asymmetricKeyType;
    if (type !== "rsa" && type !== "ed25519") return undefined;
    const blob = sshBlob(key);
    if (type === "ed25519") return { type, fingerprint: sha256(blob), publicKey: publicLine(type, blob, comment) };
    if (!rsaSizes.includes(key.asymmetricKeyDetails?.modulusLength ?? 0)) return undefined;
    const der = key.export({ type: "spki", format: "der" });
    return { type, fingerprint: colons(createHash("md5").update(der).digest("hex")), publicKey: publicLine(type, blob, comment) };
  } catch {
    return undefined;
  }
}

function openPublicKey(material: Buffer): KeyObject {
  const text = material.toString("latin1").trim();
  const line = /^ssh-(?:rsa|ed25519)\s+([A-Za-z0-9+/=]+)/.exec(text);
  if (line) return fromBlob(Buffer.from(line[1]!, "base64"));
  if (text.startsWith("---- BEGIN SSH2 PUBLIC KEY ----")) return fromBlob(Buffer.from(ssh2Body(text), "base64"));
  // A private key must not be taken for the public one that it contains.
  if (text.startsWith("-----BEGIN")) return createPublicKey(text.includes("PUBLIC KEY") ? text : "");
  const der = /^[A-Za-z0-9+/=\s]+$/.test(text) ? Buffer.from(text, "base64") : material;
  return createPublicKey({ key: der, format: "der", type: "spki" });
}

/** What is left without the first and last line and the headers, which may go on behind a backslash. */
function ssh2Body(text: string): string {
  let isHeader = false;
  const lines = text.split(/\r?\n/).slice(1, -1);
  const body = lines.filter((line) => {
    const wasHeader = isHeader;
    isHeader = (wasHeader || line.includes(":")) && line.endsWith("\\");
    return !wasHeader && !line.includes(":");
  });
  return body.join("");
}

const base64url = (bytes: Buffer) => bytes.toString("base64url");

function fromBlob(blob: Buffer): KeyObject {
  const [type, first, second] = readStrings(blob);
  if (type?.toString() === "ssh-ed25519" && first)
    return createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x: base64url(first) }, format: "jwk" });
  if (type?.toString() !== "ssh-rsa" || !first || !second) throw new Error("not a key");
  return createPublicKey({ key: { kty: "RSA", e: base64url(first), n: base64url(second) }, format: "jwk" });
}

function sshBlob(key: KeyObject): Buffer {
  const jwk = key.export({ format: "jwk" });
  const bytes = (part: string | undefined) => Buffer.from(part ?? "", "base64url");
  if (jwk.kty === "OKP") return Buffer.concat([string("ssh-ed25519"), string(bytes(jwk.x))]);
  return Buffer.concat([string("ssh-rsa"), string(positive(bytes(jwk.e))), string(positive(bytes(jwk.n)))]);
}

/** SSH's numbers are signed: a leading zero keeps one positive. */
const positive = (bytes: Buffer) => (bytes[0]! & 0x80 ? Buffer.concat([Buffer.alloc(1), bytes]) : bytes);

const uint32 = (value: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};

function string(content: string | Buffer): Buffer {
  const bytes = Buffer.from(content);
  return Buffer.concat([uint32(bytes.length), bytes]);
}

function readStrings(blob: Buffer): Buffer[] {
  const found: Buffer[] = [];
  for (let at = 0; at + 4 <= blob.length;) {
    const length = blob.readUInt32BE(at);
    if (at + 4 + length > blob.length) throw new Error("cut short");
    found.push(blob.subarray(at + 4, at + 4 + length));
    at += 4 + length;
  }
  return found;
}

function opensshPrivateKey(key: KeyObject, blob: Buffer, comment: string): string {
  const { d = "", x = "" } = key.export({ format: "jwk" });
  const secret = Buffer.concat([Buffer.from(d, "base64url"), Buffer.from(x, "base64url")]);
  const check = uint32(randomInt(2 ** 32));
  const inner = Buffer.concat([check, check, blob, string(secret), string(comment)]);
  const padding = Buffer.from(Array.from({ length: (8 - (inner.length % 8)) % 8 }, (_, index) => index + 1));
  const content = Buffer.concat([
    Buffer.from("openssh-key-v1\0"),
    string("none"),
    string("none"),
    string(""),
    uint32(1),
    string(blob),
    string(Buffer.concat([inner, padding])),
  ]);
  const lines = content.toString("base64").match(/.{1,70}/g) ?? [];
  return ["-----BEGIN OPENSSH PRIVATE KEY-----", ...lines, "-----END OPENSSH PRIVATE KEY-----", ""].join("\n");
}

const publicLine = (type: KeyType, blob: Buffer, comment: string) => `ssh-${type} ${blob.toString("base64")} ${comment}`;
const sha256 = (blob: Buffer) => createHash("sha256").update(blob).digest("base64");
const colons = (hex: string) => hex.match(/../g)!.join(":");
