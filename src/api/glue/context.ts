/** What Glue's operations work with: the account's metastore. */
import { AwsError } from "../../aws/errors.ts";
import type { RequestContext } from "../../aws/operations.ts";
import { type Catalogs, type Metastore, MetastoreError, NotReady } from "../../glue/metastore.ts";

export interface GlueContext {
  /** Undefined where nodes are simulated: there is no Java then. */
  catalogs: Catalogs | undefined;
}

/** What an operation is given: the metastore of the caller's account, while it has its turn. */
export interface GlueCall {
  metastore: Metastore;
}

export type GlueRequest = RequestContext;

export const invalidInput = (message: string): AwsError => new AwsError("InvalidInputException", message);
export const notFound = (message: string): AwsError => new AwsError("EntityNotFoundException", message);
export const alreadyExists = (message: string): AwsError => new AwsError("AlreadyExistsException", message);

/** The account's metastore for one operation, which nobody else's comes in between. */
export async function inTurn<T>({ catalogs }: GlueContext, accountId: string, work: (call: GlueCall) => Promise<T>): Promise<T> {
  if (!catalogs)
    throw new AwsError(
      "OperationNotSupportedException",
      "Glue's catalog is a real Hive metastore, and nodes of this Howdah are simulated. Start another data folder by howdah up, without --provider simulated.",
    );
  try {
    return await catalogs.inTurn(accountId, async () => work({ metastore: await catalogs.of(accountId) }));
  } catch (error) {
    if (error instanceof NotReady) throw new AwsError("ResourceNotReadyException", `The catalog is not there yet: ${error.message}`);
    // What Hive itself refuses: a database that somebody else's cluster has dropped meanwhile, a type that it does not take.
    if (error instanceof MetastoreError && error.exception === "NoSuchObjectException") throw notFound(error.message);
    if (error instanceof MetastoreError && /^(InvalidObject|InvalidInput|Meta)Exception$/.test(error.exception))
      throw invalidInput(error.message);
    throw error;
  }
}

/** The catalog of the caller's own account is the only one. */
export function checkCatalog(input: object, { accountId }: GlueRequest): void {
  const { CatalogId } = input as { CatalogId?: string };
  if (CatalogId !== undefined && CatalogId !== accountId)
    throw notFound(`Catalog ${CatalogId} not found: an account has one catalog, whose id is its own (${accountId}), and none is shared.`);
}

/** Refuses what has no effect here. Empty values ask for nothing. */
export function refuse(input: object, reasons: Readonly<Record<string, string>>): void {
  for (const [member, reason] of Object.entries(reasons)) {
    const value = (input as Record<string, unknown>)[member];
    const isEmpty = value === undefined || value === "" || (typeof value === "object" && value !== null && Object.keys(value).length === 0);
    if (!isEmpty) throw invalidInput(`${member}: ${reason}`);
  }
}

/** What Hive's tables have room for. */
export function checkLength(member: string, value: string | undefined, most: number): void {
  if (value !== undefined && value.length > most) throw invalidInput(`${member}: at most ${most} characters, not ${value.length}.`);
}
