/** A server that answers everything with the same text, as soon as something comes: what is left is the client's own time. */
import { type AddressInfo, createServer } from "node:net";
import type { Started } from "./servers.ts";

/** As long as DescribeCluster's. */
const body = JSON.stringify({ Cluster: "x".repeat(1800) });
const answer = `HTTP/1.1 200 OK\r\ncontent-type: application/x-amz-json-1.1\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
const server = createServer({ noDelay: true }, (socket) => socket.on("data", () => socket.write(answer)).on("error", () => {}));
server.listen(0, "127.0.0.1", () => {
  const { port } = server.address() as AddressInfo;
  process.send?.({ port, accessKeyId: "AKIAIOSFODNN7EXAMPLE", secretAccessKey: "secret" } satisfies Started);
});
process.once("disconnect", () => process.exit());
