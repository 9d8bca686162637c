/** What EC2's operations work with: the store and ids. A request's account and region are the Scope of all that it sees. */
import type { RequestContext } from "../../aws/operations.ts";
import type { SpotMarket } from "../../market/spot.ts";
import type { Ids } from "../../store/ids.ts";
import type { Store } from "../../store/store.ts";

export interface Ec2Context {
  store: Store;
  ids: Ids;
  market: SpotMarket;
}

export type Ec2Request = RequestContext;
