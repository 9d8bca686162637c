/** Where a request comes from, as the door that took it saw it: never what its client says. */
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";

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
