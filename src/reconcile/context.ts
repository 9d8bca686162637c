/** What reconcilers are given besides an id. */
import type { Logger } from "pino";
import type { Provider } from "../providers/provider.ts";
import type { Ids } from "../store/ids.ts";
import type { Store } from "../store/store.ts";
import type { Waits } from "./waits.ts";

export interface ReconcileContext {
  store: Store;
  provider: Provider;
  ids: Ids;
  waits: Waits;
  log: Logger;
  /** Throws where what set-up brings for a release label is not there, or not whole. */
  requireEngines(releaseLabel: string): void;
  /** Who has which of the ports that `message` names, or that engines need, on all of the host's addresses: sentences. */
  portsTaken(message: string): string[];
  /** Memory that the host can still give away, MiB. */
  freeMemoryMb(): number;
}
