/** What EMR's operations work with: nothing but the store, ids and settings, for a request only writes down what is wished. */
import type { Ids } from "../../store/ids.ts";
import type { Store } from "../../store/store.ts";
import type { RequestContext } from "../../aws/operations.ts";

export interface EmrContext {
  store: Store;
  ids: Ids;
  /** howdah.json's: whether a release label that is not locked stands for the nearest that is, and what becomes of an application that is not in it. */
  releases: { substitute: boolean; missingApplications: "refuse" | "warn" };
  /** howdah.json's: how the JVMs of new clusters' jobs compile. */
  jvm?: "full" | "quick";
  /** howdah.json's: what the volumes of new clusters' nodes are. */
  volumes?: "folders" | "loop";
}

export type EmrRequest = RequestContext;
