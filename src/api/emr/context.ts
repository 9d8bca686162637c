/** What EMR's operations work with: nothing but the store and ids, for a request only writes down what is wished. */
import type { Ids } from "../../store/ids.ts";
import type { Store } from "../../store/store.ts";
import type { RequestContext } from "../../aws/operations.ts";

export interface EmrContext {
  store: Store;
  ids: Ids;
}

export type EmrRequest = RequestContext;
