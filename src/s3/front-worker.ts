/** The thread that owns the public port, so that bulk data never delays the control plane. Started by front.ts. */
/* oxlint-disable unicorn/require-post-message-target-origin -- threads, not windows */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { parentPort, workerData } from "node:worker_threads";
import { openKeyLookup } from "../access/keys.ts";
import { controlPlane } from "./control.ts";
import type { FromWorker, ToWorker, WorkerOptions } from "./front.ts";
import { serveObjects } from "./objects.ts";

const options = workerData as WorkerOptions;
const keys = openKeyLookup(options.databasePath);
const forward = controlPlane(options.controlSocket, options.originSecret, (error) =>
  tell({ kind: "fault", requestId: "-", message: `the control plane does not answer: ${error.message}` }),
);
let s3 = options.s3;

function tell(message: FromWorker): void {
  parentPort?.postMessage(message);
}

const objects = {
  keys,
  server: () => s3,
  now: () => new Date(),
  fault: (requestId: string, error: unknown) => tell({ kind: "fault", requestId, message: String(error) }),
};

/** A signature names its service. Without one, only what no API of the control plane looks like is taken for S3. */
function isS3(req: IncomingMessage): boolean {
  const url = req.url ?? "/";
  if (url === "/_howdah" || url.startsWith("/_howdah/")) return false;
  const { authorization } = req.headers;
  const scope = authorization ?? /[?&]X-Amz-Credential=([^&]*)/.exec(url)?.[1]?.replaceAll("%2F", "/");
  const service = scope && /\/([^/,\s]+)\/aws4_request/.exec(scope)?.[1];
  if (service) return service === "s3";
  if (req.headers["x-amz-target"] !== undefined) return false;
  return !(req.method === "POST" && (req.headers["content-type"] ?? "").startsWith("application/x-www-form-urlencoded"));
}

function serve(req: IncomingMessage, res: ServerResponse, proceed?: () => void): void {
  if (isS3(req)) {
    void serveObjects(req, res, objects, proceed);
    return;
  }
  proceed?.();
  forward(req, res);
}

const server = createServer((req, res) => serve(req, res));
server.on("checkContinue", (req, res) => serve(req, res, () => res.writeContinue()));
// An upload may take as long as it keeps moving; a client must show what it wants within a minute.
server.requestTimeout = 0;
server.headersTimeout = 60_000;
server.keepAliveTimeout = 65_000;

parentPort?.on("message", (message: ToWorker) => {
  if (message.kind === "s3") s3 = message.s3;
  else {
    parentPort?.close();
    server.close(() => keys.close());
    server.closeAllConnections();
  }
});

server.on("error", (error: NodeJS.ErrnoException) => {
  tell({ kind: "failed", message: error.message, code: error.code });
  parentPort?.close();
  keys.close();
});
server.listen(options.port, options.host, () => tell({ kind: "listening", port: (server.address() as AddressInfo).port }));
