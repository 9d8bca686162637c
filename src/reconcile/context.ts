/** What reconcilers are given besides an id. */
import type { Logger } from "pino";
import type { EngineInstaller } from "../engine-installer.ts";
import type { SpotMarket } from "../market/spot.ts";
import type { Provider } from "../providers/provider.ts";
import type { Ids } from "../store/ids.ts";
import type { Store } from "../store/store.ts";
import type { Silence } from "./silence.ts";
import type { Waits } from "./waits.ts";

export interface ReconcileContext {
  store: Store;
  provider: Provider;
  ids: Ids;
  waits: Waits;
  /** Of nodes' agents. */
  silence: Silence;
  /** Of spot instances. */
  market: SpotMarket;
  log: Logger;
  engines: EngineInstaller;
  /** Who has which of the ports that `message` names, or that engines need, on all of the host's addresses: sentences. */
  portsTaken(message: string): string[];
  /** How long clusters are known after their end; milliseconds. */
  keepEndedMs: number;
  /** How long a node in use may be unhealthy until another takes its place; milliseconds. */
  unhealthyMs: number;
  /** Memory that the host can still give away, MiB. */
  freeMemoryMb(): number;
}
