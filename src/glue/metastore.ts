/** What an account's metastore is asked: calls of Hive's RawStore, whose values are Hive's Thrift types by the names of their fields (howdah.hive.Catalog). */

export interface HiveField {
  name: string;
  type?: string;
  comment?: string;
}

export interface HiveStorage {
  cols?: HiveField[];
  location?: string;
  inputFormat?: string;
  outputFormat?: string;
  compressed?: boolean;
  numBuckets?: number;
  serdeInfo?: { name?: string; serializationLib?: string; parameters?: Record<string, string> };
  bucketCols?: string[];
  sortCols?: { col: string; order: number }[];
  parameters?: Record<string, string>;
  storedAsSubDirectories?: boolean;
  skewedInfo?: { skewedColNames?: string[]; skewedColValues?: string[][] };
}

export interface HiveDatabase {
  name: string;
  description?: string;
  locationUri?: string;
  parameters?: Record<string, string>;
  ownerName?: string;
  ownerType?: string;
  catalogName?: string;
}

/** Times are epoch seconds. */
export interface HiveTable {
  catName?: string;
  dbName: string;
  tableName: string;
  owner?: string;
  createTime?: number;
  lastAccessTime?: number;
  retention?: number;
  sd?: HiveStorage;
  partitionKeys?: HiveField[];
  parameters?: Record<string, string>;
  viewOriginalText?: string;
  viewExpandedText?: string;
  tableType?: string;
}

export interface HivePartition {
  catName?: string;
  dbName: string;
  tableName: string;
  values: string[];
  createTime?: number;
  lastAccessTime?: number;
  sd?: HiveStorage;
  parameters?: Record<string, string>;
}

/** Name of Hive's own catalog, the only one of an account. */
export const hiveCatalog = "hive";

/** A method of RawStore, and its arguments. */
export type Call = readonly [method: string, ...args: unknown[]];

/** Hive's exception, by its name without a package: NoSuchObjectException, InvalidObjectException, … */
export class MetastoreError extends Error {
  readonly exception: string;
  constructor(exception: string, message: string) {
    super(message);
    this.exception = exception;
  }
}

export interface Metastore {
  /** All of them in one transaction: what each gave, or MetastoreError, and nothing is changed. */
  call(...calls: Call[]): Promise<unknown[]>;
}

/** Metastores of accounts. */
export interface Catalogs {
  /** Started where it does not run. Rejects with NotReady where it cannot be there now. */
  of(accountId: string): Promise<Metastore>;
  /** Carries out what is asked of an account's metastore one after the other, so that a look and what follows from it are one. */
  inTurn<T>(accountId: string, work: () => Promise<T>): Promise<T>;
}

/** Why there is no metastore now: a sentence that says what to do. */
export class NotReady extends Error {}
