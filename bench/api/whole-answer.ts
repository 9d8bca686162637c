/** Where an answer of HTTP/1.1 ends: all that the load needs to know of it. */

/** Undefined while it is not there to its end. `closes`: the server takes no other request on this connection. */
export function wholeAnswer(received: Buffer): { status: number; closes: boolean; body: Buffer } | undefined {
  const at = received.indexOf("\r\n\r\n");
  if (at < 0) return undefined;
  const head = received.toString("latin1", 0, at + 2).toLowerCase();
  const length = /\r\ncontent-length: *(\d+)\r\n/.exec(head)?.[1];
  if (length === undefined) throw new Error(`an answer without a Content-Length: ${head}`);
  const end = at + 4 + Number(length);
  if (received.length < end) return undefined;
  return { status: Number(head.slice(9, 12)), closes: head.includes("\r\nconnection: close\r\n"), body: received.subarray(at + 4, end) };
}
