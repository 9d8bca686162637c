/** What differs between clusters of real nodes and of simulated ones; src/control-plane.ts puts either together with all else. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { EngineInstaller } from "../engine-installer.ts";
import type { GlueContext } from "../api/glue/context.ts";
import type { Provider } from "../providers/provider.ts";
import type { ReconcileContext } from "../reconcile/context.ts";
import type { S3Server } from "../s3/upstream.ts";
import type { Ids } from "../store/ids.ts";

export interface Nodes {
  /** The S3 server that comes with them, where the operator names none; undefined where there is none. Told when it was started again. */
  startS3(changed: (server: S3Server) => void): Promise<{ server: S3Server; stop(): void } | undefined>;
  /** Once, when the store is open. `endpoint`: http://127.0.0.1:PORT; `secret`: what a private request must know */
  join(context: Pick<ReconcileContext, "store" | "silence">, ids: Ids, endpoint: string, secret: string): Promise<Joined>;
}

export interface Joined extends Pick<ReconcileContext, "portsTaken" | "freeMemoryMb">, GlueContext {
  /** What they are, for the log. */
  degree: string;
  provider: Provider;
  engines: EngineInstaller;
  /** How often a running instance is looked at, where nobody says that it must be; milliseconds. */
  watchMs?: number;
  /** true where the request was for what belongs to the nodes, and is being answered. */
  handle(request: IncomingMessage, response: ServerResponse): boolean;
  stop(): unknown;
}
