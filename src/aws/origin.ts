/** Where a request comes from, as the door that took it saw it: never what its client says. */
import type { IncomingHttpHeaders } from "node:http";
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { sameText } from "./sigv4-verify.ts";

export interface Origin {
  /** The client's address: 127.0.0.1, fe80::1. */
  sourceIp: string;
  /** aws:SecureTransport. */
  secure: boolean;
  /** Of a secure connection, as CloudTrail's tlsDetails name it: TLSv1.3, TLS_AES_128_GCM_SHA256. */
  tls?: { version: string; cipherSuite: string };
}

export function originOfSocket(socket: Socket): Origin {
  // IPv4 at a socket that is of IPv6 too.
  const sourceIp = (socket.remoteAddress ?? "").replace(/^::ffff:(?=\d+\.)/, "");
  if (!("encrypted" in socket)) return { sourceIp, secure: false };
  const encrypted = socket as TLSSocket;
  return {
    sourceIp,
    secure: true,
    tls: { version: encrypted.getProtocol() ?? "", cipherSuite: encrypted.getCipher().standardName },
  };
}

/** From the front door to the control plane. A client's own header of this name goes no further than the door. */
export const originHeader = "x-howdah-origin";

/** `secret` is known to the two sides only: the socket between them is open to all of this host. */
export function writeOrigin(secret: string, { sourceIp, tls }: Origin): string {
  return [secret, sourceIp, ...(tls ? [tls.version, tls.cipherSuite] : [])].join(" ");
}

/** Undefined for a request that did not come through the door. */
export function readOrigin(secret: string, headers: IncomingHttpHeaders): Origin | undefined {
  const [proof = "", sourceIp = "", version, cipherSuite] = String(headers[originHeader] ?? "").split(" ");
  if (!sameText(proof, secret)) return undefined;
  return version === undefined ? { sourceIp, secure: false } : { sourceIp, secure: true, tls: { version, cipherSuite: cipherSuite ?? "" } };
}
