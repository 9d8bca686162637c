/** Glue's shapes as Hive's, and back. What Hive has no place for is kept as JSON in one property of what it belongs to, and shown to Glue's clients in its own place. */
import type { Column, Database, Partition, PartitionInput, StorageDescriptor, Table, TableInput } from "@aws-sdk/client-glue";
import type { Present } from "../../aws/operations.ts";
import {
  type HiveDatabase,
  type HiveField,
  type HivePartition,
  type HiveStorage,
  type HiveTable,
  hiveCatalog,
} from "../../glue/metastore.ts";
import { checkLength, invalidInput, refuse } from "./context.ts";

/** Of the property: on a cluster, DESCRIBE FORMATTED shows it. */
const noteName = "howdah.glue";

/** Times are epoch milliseconds. */
export interface Note {
  Description?: string;
  CreateTime?: number;
  UpdateTime?: number;
  CreatedBy?: string;
  /** Of a database. */
  Tags?: Record<string, string>;
  VersionId?: number;
  LastAnalyzedTime?: number;
  /** Parameters of columns that have some, by name. */
  columns?: Record<string, Record<string, string>>;
  AdditionalLocations?: string[];
  /** Hive takes a table without EXTERNAL=TRUE for a managed one: Glue's clients were not the ones who wrote it. */
  hidesExternal?: boolean;
  /** One without a type is an external table to Hive: its DROP TABLE leaves the files. */
  hidesType?: boolean;
  /** The place in HDFS where Hive puts a database that says no other. */
  hidesLocation?: boolean;
}

type Parameters = Record<string, string>;

export function noteOf(parameters: Parameters | undefined): Note {
  try {
    return JSON.parse(parameters?.[noteName] ?? "{}") as Note;
  } catch {
    return {}; // A user of Hive's has set it.
  }
}

function withNote(parameters: Parameters | undefined, note: Note): Parameters {
  checkParameters(parameters);
  return { ...parameters, [noteName]: JSON.stringify(note) };
}

export function checkParameters(parameters: Parameters | undefined): void {
  for (const [key, value] of Object.entries(parameters ?? {})) {
    if (key === noteName) throw invalidInput(`Parameters: '${noteName}' is Howdah's own: choose another name.`);
    if (typeof value !== "string") throw invalidInput(`Parameters: '${key}' has no value.`);
    checkLength(`Parameters: '${key}'`, key, 256);
  }
}

function withoutNote(parameters: Parameters | undefined, note: Note): Parameters {
  const hidden = note.hidesExternal ? [noteName, "EXTERNAL"] : [noteName];
  return Object.fromEntries(Object.entries(parameters ?? {}).filter(([key]) => !hidden.includes(key)));
}

/** As Glue folds them, and Hive. */
export const folded = (name: string): string => name.trim().toLowerCase();

const seconds = (date: Date | number | undefined): number => (date === undefined ? 0 : Math.floor(Number(date) / 1000));
const dateOf = (ofSeconds: number | undefined): Date | undefined => (ofSeconds ? new Date(ofSeconds * 1000) : undefined);
const dateOfMs = (ms: number | undefined): Date | undefined => (ms === undefined ? undefined : new Date(ms));

/** Leaves out what is undefined. */
const defined = <T extends object>(value: T): T => Object.fromEntries(Object.entries(value).filter(([, one]) => one !== undefined)) as T;

/* Databases */

export interface DatabaseFields {
  Name: string;
  Description?: string | undefined;
  LocationUri?: string | undefined;
  Parameters?: Parameters | undefined;
}

export function toHiveDatabase(input: DatabaseFields, note: Note): HiveDatabase {
  const name = folded(input.Name);
  checkLength("Name", name, 128);
  checkLength("Description", input.Description, 4000);
  checkLength("LocationUri", input.LocationUri, 4000);
  const hidesLocation = !input.LocationUri;
  const whole: Note = defined({ ...note, Description: input.Description, hidesLocation: hidesLocation || undefined } as Note);
  const parameters = withNote(input.Parameters, whole);
  for (const [key, value] of Object.entries(parameters)) checkLength(`Parameters: '${key}'`, value, 4000);
  return {
    name,
    description: input.Description ?? "",
    locationUri: input.LocationUri || `hdfs:///user/hive/warehouse/${encodeURIComponent(name)}.db`,
    parameters,
    ownerName: "hadoop",
    ownerType: "USER",
    catalogName: hiveCatalog,
  };
}

/** The same database with these tags, and all else as Hive or Glue have made it. */
export function withTags(database: HiveDatabase, tags: Record<string, string>): HiveDatabase {
  const isOfGlue = database.parameters?.[noteName] !== undefined;
  const note: Note = {
    ...noteOf(database.parameters),
    ...(!isOfGlue && database.description && { Description: database.description }),
    Tags: tags,
  };
  const text = JSON.stringify(note);
  checkLength("Tags, with what else is kept of the database", text, 4000);
  return { ...database, parameters: { ...database.parameters, [noteName]: text } };
}

/** Lake Formation's permissions are not there: everybody has all of them, and policies decide. */
export const everybody = [{ Principal: { DataLakePrincipalIdentifier: "IAM_ALLOWED_PRINCIPALS" }, Permissions: ["ALL" as const] }];

export function fromHiveDatabase(database: HiveDatabase, accountId: string): Database {
  const note = noteOf(database.parameters);
  const isOfGlue = database.parameters?.[noteName] !== undefined;
  return defined({
    Name: database.name,
    Description: isOfGlue ? note.Description : database.description || undefined,
    LocationUri: note.hidesLocation ? undefined : database.locationUri,
    Parameters: withoutNote(database.parameters, note),
    CreateTime: dateOfMs(note.CreateTime),
    CreateTableDefaultPermissions: everybody,
    CatalogId: accountId,
  } as Database);
}

/* Storage */

const noSkew = "skewed columns are not kept: leave them out.";

/** Parameters of columns go to `columns`, by name. */
function toHiveFields(member: string, columns: readonly Present<Column>[], note: Record<string, Parameters>): HiveField[] {
  const names = new Set<string>();
  return columns.map(({ Name, Type, Comment, Parameters }) => {
    if (names.has(Name.toLowerCase())) throw invalidInput(`${member}: the column '${Name}' is there twice.`);
    names.add(Name.toLowerCase());
    checkLength(`${member}: Name`, Name, 255);
    checkLength(`${member}: Comment`, Comment, 256);
    if (Parameters && Object.keys(Parameters).length > 0) note[Name] = Parameters as Parameters;
    return defined({ name: Name, type: Type ?? "string", comment: Comment }) as HiveField;
  });
}

const fromHiveField =
  ({ columns }: Note, withParameters: boolean) =>
  (field: HiveField): Column =>
    defined({
      Name: field.name,
      Type: field.type,
      Comment: field.comment,
      Parameters: withParameters ? (columns && Object.hasOwn(columns, field.name) ? columns[field.name] : undefined) : undefined,
    } as Column);

/** Hive itself needs most of it to be there. */
function toHiveStorage(given: Present<StorageDescriptor> | undefined, columns: Record<string, Parameters>): HiveStorage {
  const storage = given ?? ({} as Present<StorageDescriptor>);
  refuse(storage, { SchemaReference: "Glue's schema registry is not in Howdah: give Columns." });
  refuse(storage.SkewedInfo ?? {}, { SkewedColumnNames: noSkew, SkewedColumnValues: noSkew, SkewedColumnValueLocationMaps: noSkew });
  const {
    Location,
    InputFormat,
    OutputFormat,
    Compressed = false,
    NumberOfBuckets = 0,
    SerdeInfo,
    BucketColumns = [],
    SortColumns = [],
  } = storage;
  checkLength("Location", Location, 4000);
  checkLength("InputFormat", InputFormat, 4000);
  checkLength("OutputFormat", OutputFormat, 4000);
  checkLength("SerdeInfo.Name", SerdeInfo?.Name, 128);
  checkLength("SerdeInfo.SerializationLibrary", SerdeInfo?.SerializationLibrary, 4000);
  checkParameters(storage.Parameters);
  checkParameters(SerdeInfo?.Parameters);
  return defined({
    cols: toHiveFields("Columns", storage.Columns ?? [], columns),
    location: Location,
    inputFormat: InputFormat,
    outputFormat: OutputFormat,
    compressed: Compressed,
    numBuckets: NumberOfBuckets,
    serdeInfo: defined({
      name: SerdeInfo?.Name,
      serializationLib: SerdeInfo?.SerializationLibrary,
      parameters: SerdeInfo?.Parameters ?? {},
    }) as NonNullable<HiveStorage["serdeInfo"]>,
    bucketCols: BucketColumns,
    sortCols: SortColumns.map(({ Column, SortOrder }) => ({ col: Column, order: SortOrder })),
    parameters: storage.Parameters ?? {},
    storedAsSubDirectories: storage.StoredAsSubDirectories ?? false,
  }) as HiveStorage;
}

function fromHiveStorage(sd: HiveStorage, note: Note, withColumns = true): StorageDescriptor {
  const { serdeInfo, skewedInfo } = sd;
  return defined({
    Columns: withColumns ? (sd.cols ?? []).map(fromHiveField(note, true)) : undefined,
    Location: sd.location,
    AdditionalLocations: note.AdditionalLocations,
    InputFormat: sd.inputFormat,
    OutputFormat: sd.outputFormat,
    Compressed: sd.compressed ?? false,
    NumberOfBuckets: sd.numBuckets ?? 0,
    SerdeInfo:
      serdeInfo &&
      defined({ Name: serdeInfo.name, SerializationLibrary: serdeInfo.serializationLib, Parameters: serdeInfo.parameters ?? {} }),
    BucketColumns: sd.bucketCols ?? [],
    SortColumns: (sd.sortCols ?? []).map(({ col, order }) => ({ Column: col, SortOrder: order })),
    Parameters: sd.parameters ?? {},
    SkewedInfo: skewedInfo?.skewedColNames?.length
      ? {
          SkewedColumnNames: skewedInfo.skewedColNames,
          // As AWS's own client for Hive writes them.
          SkewedColumnValues: (skewedInfo.skewedColValues ?? []).map((values) => values.join("$")),
        }
      : undefined,
    StoredAsSubDirectories: sd.storedAsSubDirectories ?? false,
  } as StorageDescriptor);
}

/* Tables */

/** `before`: of a table that is there already, whose creation and owner stay. */
export function toHiveTable(database: string, input: Present<TableInput>, note: Note, now: Date, before?: HiveTable): HiveTable {
  refuse(input, {
    TargetTable: "links to other catalogs' tables are not kept.",
    ViewDefinition: "views of several dialects are not kept: give ViewOriginalText and ViewExpandedText.",
  });
  const columns: Record<string, Parameters> = {};
  const sd = toHiveStorage(input.StorageDescriptor, columns);
  const partitionKeys = toHiveFields("PartitionKeys", input.PartitionKeys ?? [], columns);
  for (const { name } of partitionKeys) checkLength("PartitionKeys: Name", name, 128);
  checkLength("TableType", input.TableType, 128);
  checkLength("ViewOriginalText", input.ViewOriginalText, 32_700);
  checkLength("ViewExpandedText", input.ViewExpandedText, 32_700);
  const hidesType = !input.TableType;
  const isExternal = hidesType || input.TableType === "EXTERNAL_TABLE";
  const hidesExternal = isExternal && !Object.keys(input.Parameters ?? {}).includes("EXTERNAL");
  const whole: Note = defined({
    ...note,
    Description: input.Description,
    LastAnalyzedTime: input.LastAnalyzedTime && Number(input.LastAnalyzedTime),
    columns: Object.keys(columns).length > 0 ? columns : undefined,
    AdditionalLocations: input.StorageDescriptor?.AdditionalLocations,
    hidesExternal: hidesExternal || undefined,
    hidesType: hidesType || undefined,
  } as Note);
  return defined({
    catName: hiveCatalog,
    dbName: folded(database),
    tableName: folded(input.Name),
    owner: input.Owner ?? before?.owner,
    createTime: before?.createTime ?? seconds(now),
    lastAccessTime: seconds(input.LastAccessTime),
    retention: input.Retention ?? 0,
    sd,
    partitionKeys,
    parameters: { ...withNote(input.Parameters, whole), ...(hidesExternal ? { EXTERNAL: "TRUE" } : {}) },
    viewOriginalText: input.ViewOriginalText,
    viewExpandedText: input.ViewExpandedText,
    tableType: hidesType ? "EXTERNAL_TABLE" : input.TableType,
  } as HiveTable);
}

export function fromHiveTable(table: HiveTable, accountId: string): Table {
  const note = noteOf(table.parameters);
  const created = dateOf(table.createTime);
  // Of Hive's own changes.
  const ddl = Number(table.parameters?.["transient_lastDdlTime"]);
  const changed = Math.max(note.UpdateTime ?? 0, Number.isFinite(ddl) ? ddl * 1000 : 0, Number(created ?? 0));
  return defined({
    Name: table.tableName,
    DatabaseName: table.dbName,
    Description: note.Description,
    Owner: table.owner,
    CreateTime: created,
    UpdateTime: changed > 0 ? new Date(changed) : undefined,
    LastAccessTime: dateOf(table.lastAccessTime),
    LastAnalyzedTime: dateOfMs(note.LastAnalyzedTime),
    Retention: table.retention ?? 0,
    StorageDescriptor: table.sd && fromHiveStorage(table.sd, note),
    PartitionKeys: (table.partitionKeys ?? []).map(fromHiveField(note, true)),
    ViewOriginalText: table.viewOriginalText,
    ViewExpandedText: table.viewExpandedText,
    TableType: note.hidesType ? undefined : table.tableType,
    Parameters: withoutNote(table.parameters, note),
    CreatedBy: note.CreatedBy,
    IsRegisteredWithLakeFormation: false,
    CatalogId: accountId,
    VersionId: String(note.VersionId ?? 0),
    IsMultiDialectView: false,
  } as Table);
}

/* Partitions */

/** `createTime`: of one that is there already, in epoch seconds. */
export function toHivePartition(table: HiveTable, input: Present<PartitionInput>, now: Date, createTime?: number): HivePartition {
  const keys = table.partitionKeys ?? [];
  const values = input.Values ?? [];
  if (values.length !== keys.length)
    throw invalidInput(
      `The number of partition keys do not match the number of partition values: ${keys.length} keys, ${values.length} values.`,
    );
  if (values.includes("")) throw invalidInput("Values: a partition's value must not be empty.");
  const columns: Record<string, Parameters> = {};
  const sd = toHiveStorage(input.StorageDescriptor, columns);
  const whole: Note = defined({
    LastAnalyzedTime: input.LastAnalyzedTime && Number(input.LastAnalyzedTime),
    columns: Object.keys(columns).length > 0 ? columns : undefined,
    AdditionalLocations: input.StorageDescriptor?.AdditionalLocations,
  } as Note);
  checkParameters(input.Parameters);
  const parameters = Object.keys(whole).length > 0 ? withNote(input.Parameters, whole) : { ...input.Parameters };
  for (const [key, value] of Object.entries(parameters)) checkLength(`Parameters: '${key}'`, value, 4000);
  for (const value of values) checkLength("Values", value, 256);
  checkLength("Values, as a folder's name", partitionName(table, values), 767);
  return {
    catName: hiveCatalog,
    dbName: table.dbName,
    tableName: table.tableName,
    values: [...values],
    createTime: createTime ?? seconds(now),
    lastAccessTime: seconds(input.LastAccessTime),
    sd,
    parameters,
  };
}

export function fromHivePartition(partition: HivePartition, accountId: string, withColumns = true): Partition {
  const note = noteOf(partition.parameters);
  return defined({
    Values: partition.values,
    DatabaseName: partition.dbName,
    TableName: partition.tableName,
    CreationTime: dateOf(partition.createTime),
    LastAccessTime: dateOf(partition.lastAccessTime),
    LastAnalyzedTime: dateOfMs(note.LastAnalyzedTime),
    StorageDescriptor: partition.sd && fromHiveStorage(partition.sd, note, withColumns),
    Parameters: withoutNote(partition.parameters, note),
    CatalogId: accountId,
  } as Partition);
}

/** What Hive's FileUtils.escapePathName escapes. */
// oxlint-disable-next-line no-control-regex
const escaped = /[\u0001-\u001f\u007f"#%'*/:=?\\{[\]^]/g;

/** As Hive names a partition, and its folder: year=2026/month=1. */
export const partitionName = (table: HiveTable, values: readonly string[]): string =>
  (table.partitionKeys ?? []).map(({ name }, index) => `${escapePath(name.toLowerCase())}=${escapePath(values[index] ?? "")}`).join("/");

const escapePath = (text: string): string =>
  text.replace(escaped, (one) => `%${one.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`);

/** The values of a partition's name. */
export const valuesOfName = (name: string): string[] =>
  name
    .split("/")
    .map((part) =>
      part.slice(part.indexOf("=") + 1).replace(/%([0-9A-Fa-f]{2})/g, (_, code: string) => String.fromCharCode(parseInt(code, 16))),
    );
