/** What IAM's operations work with. IAM is one for an account, whatever the region of the request's signature. */
import type { Input, OperationName, RequestContext } from "../../aws/operations.ts";
import type { iam } from "../../aws/services/iam.ts";
import type { Ids } from "../../store/ids.ts";
import type { Store } from "../../store/store.ts";

export interface IamContext {
  store: Store;
  ids: Ids;
}

export type In<Name extends OperationName<typeof iam>> = Input<typeof iam, Name>;
export type IamRequest = RequestContext;
