/** Tables. Source: AWS Glue API, "Table API". */
import type {
  BatchDeleteTableRequest,
  CreateTableRequest,
  DeleteTableRequest,
  GetPartitionIndexesRequest,
  GetTableRequest,
  GetTablesRequest,
  GetTableVersionRequest,
  GetTableVersionsRequest,
  TableError,
  TableInput,
  UpdateTableRequest,
} from "@aws-sdk/client-glue";
import { isLike } from "../../access/policy/pattern.ts";
import { AwsError } from "../../aws/errors.ts";
import type { Present } from "../../aws/operations.ts";
import { type Call, type HiveTable, hiveCatalog, type Metastore } from "../../glue/metastore.ts";
import { alreadyExists, type GlueCall, type GlueRequest, invalidInput, notFound, refuse } from "./context.ts";
import { databaseNamed } from "./databases.ts";
import { globOf } from "./expression.ts";
import { pageOfNames } from "./paging.ts";
import { folded, fromHiveTable, noteOf, toHiveTable } from "./shapes.ts";

const usualPage = 100;

const unknownHere = {
  TransactionId: "transactions of Lake Formation are not in Howdah.",
  QueryAsOfTime: "tables are not kept as they were: leave it out.",
  AuditContext: "Lake Formation is not in Howdah.",
};

async function findTable(metastore: Metastore, database: string, name: string): Promise<HiveTable | undefined> {
  const [found] = await metastore.call(["getTable", hiveCatalog, folded(database), folded(name)]);
  return (found as HiveTable | null) ?? undefined;
}

/** Throws where it, or its database, is not there. */
export async function tableNamed(metastore: Metastore, database: string, name: string): Promise<HiveTable> {
  const found = await findTable(metastore, database, name);
  if (found) return found;
  await databaseNamed(metastore, database);
  throw notFound(`Table ${folded(name)} not found.`);
}

/** Partitions are dropped in lots: a statement takes only so many names. */
const lot = 500;

/** The calls that forget a table and its partitions; files stay. */
export async function droppingTable(metastore: Metastore, database: string, name: string): Promise<Call[]> {
  const [names] = (await metastore.call(["listPartitionNames", hiveCatalog, database, name, -1])) as [string[]];
  const calls: Call[] = [];
  for (let at = 0; at < names.length; at += lot) calls.push(["dropPartitions", hiveCatalog, database, name, names.slice(at, at + lot)]);
  return [...calls, ["dropTable", hiveCatalog, database, name]];
}

function inputOf({ TableInput: input, Name }: { TableInput?: Present<TableInput>; Name?: string }): Present<TableInput> {
  if (!input) throw invalidInput("TableInput is required.");
  if (Name !== undefined && folded(Name) !== folded(input.Name))
    throw invalidInput(`Name: '${Name}' is not that of TableInput, '${input.Name}'.`);
  return input;
}

export async function CreateTable({ metastore }: GlueCall, input: Present<CreateTableRequest>, { now, principal }: GlueRequest) {
  refuse(input, {
    ...unknownHere,
    PartitionIndexes: "there are no partition indexes: partitions are found without them.",
    OpenTableFormatInput: "create the table by the engine that writes the format (Spark, say), or give its TableInput.",
  });
  const given = inputOf(input);
  await databaseNamed(metastore, input.DatabaseName);
  if (await findTable(metastore, input.DatabaseName, given.Name)) throw alreadyExists("Table already exists.");
  const note = { CreatedBy: principal.arn, UpdateTime: Number(now) };
  await metastore.call(["createTable", toHiveTable(input.DatabaseName, given, note, now)]);
  return {};
}

export async function GetTable({ metastore }: GlueCall, input: Present<GetTableRequest>, { accountId }: GlueRequest) {
  refuse(input, unknownHere);
  return { Table: fromHiveTable(await tableNamed(metastore, input.DatabaseName, input.Name), accountId) };
}

export async function GetTables({ metastore }: GlueCall, input: Present<GetTablesRequest>, request: GlueRequest) {
  refuse(input, unknownHere);
  const { name } = await databaseNamed(metastore, input.DatabaseName);
  const [all] = (await metastore.call(["getAllTables", hiveCatalog, name])) as [string[]];
  const isAsked = readNames(input.Expression);
  const { Expression } = input;
  const page = pageOfNames("GetTables", request, { name, Expression }, input, usualPage, all.filter(isAsked));
  const [tables] = (await metastore.call(["getTableObjectsByName", hiveCatalog, name, page.names])) as [HiveTable[]];
  const byName = new Map(tables.map((table) => [table.tableName, table]));
  const found = page.names.flatMap((one) => byName.get(one) ?? []);
  const only = input.AttributesToGet ?? [];
  const shown = found.map((table) => fromHiveTable(table, request.accountId));
  const TableList =
    only.length === 0
      ? shown
      : shown.map(({ Name, DatabaseName, TableType }) => ({ Name, DatabaseName, ...(only.includes("TABLE_TYPE") && { TableType }) }));
  return { TableList, ...(page.NextToken && { NextToken: page.NextToken }) };
}

/** A pattern of names as Hive takes it, and the part of regular expressions that means the same: `*` and `.*` for any text, `.` for any character, `|` between two. */
function readNames(expression: string | undefined): (name: string) => boolean {
  if (!expression) return () => true;
  const plain = expression.toLowerCase().replace(/^\^|\$$/g, "");
  if (!/^[^()[\]{}+?\\^$]*$/.test(plain))
    throw invalidInput(
      `Expression: '${expression}' is more than Howdah reads: names, with .* or * for any text, . for any character, and | between two.`,
    );
  const globs = plain.split("|").map((one) => globOf(one.replaceAll(".*", "*"), { any: "*", one: "." }));
  return (name) => globs.some((glob) => isLike(glob, name));
}

export async function UpdateTable({ metastore }: GlueCall, input: Present<UpdateTableRequest>, { now }: GlueRequest) {
  refuse(input, {
    ...unknownHere,
    ViewUpdateAction: "views of several dialects are not kept.",
    UpdateOpenTableFormatInput: "change the table by the engine that writes its format, or give its TableInput.",
  });
  const given = inputOf(input);
  const before = await tableNamed(metastore, input.DatabaseName, given.Name);
  const note = noteOf(before.parameters);
  const version = note.VersionId ?? 0;
  if (input.VersionId !== undefined && input.VersionId !== String(version))
    throw new AwsError("ConcurrentModificationException", `The table is at version ${version}, not ${input.VersionId}.`);
  const { CreatedBy } = note;
  const next = { ...(CreatedBy !== undefined && { CreatedBy }), VersionId: version + 1, UpdateTime: Number(now) };
  await metastore.call(["alterTable", hiveCatalog, before.dbName, before.tableName, toHiveTable(before.dbName, given, next, now, before)]);
  return {};
}

export async function DeleteTable({ metastore }: GlueCall, input: Present<DeleteTableRequest>) {
  refuse(input, unknownHere);
  const { dbName, tableName } = await tableNamed(metastore, input.DatabaseName, input.Name);
  await metastore.call(...(await droppingTable(metastore, dbName, tableName)));
  return {};
}

export async function BatchDeleteTable(call: GlueCall, input: Present<BatchDeleteTableRequest>) {
  refuse(input, unknownHere);
  await databaseNamed(call.metastore, input.DatabaseName);
  const Errors: TableError[] = [];
  for (const name of input.TablesToDelete) {
    const found = await findTable(call.metastore, input.DatabaseName, name);
    if (found) await call.metastore.call(...(await droppingTable(call.metastore, found.dbName, found.tableName)));
    else
      Errors.push({
        TableName: name,
        ErrorDetail: { ErrorCode: "EntityNotFoundException", ErrorMessage: `Table ${folded(name)} not found.` },
      });
  }
  return { Errors };
}

/** The one that there is: earlier ones are not kept. */
export async function GetTableVersion({ metastore }: GlueCall, input: Present<GetTableVersionRequest>, { accountId }: GlueRequest) {
  const Table = fromHiveTable(await tableNamed(metastore, input.DatabaseName, input.TableName), accountId);
  if (input.VersionId !== undefined && input.VersionId !== Table.VersionId)
    throw notFound(`Version ${input.VersionId} of the table is not there: only its latest, ${Table.VersionId}, is kept.`);
  return { TableVersion: { Table, VersionId: Table.VersionId! } };
}

export async function GetTableVersions(call: GlueCall, input: Present<GetTableVersionsRequest>, request: GlueRequest) {
  pageOfNames("GetTableVersions", request, {}, input, 1, []);
  const { DatabaseName, TableName } = input;
  return { TableVersions: [(await GetTableVersion(call, { DatabaseName, TableName }, request)).TableVersion] };
}

/** There are none; whoever looks after a table, as Terraform does, asks. */
export async function GetPartitionIndexes({ metastore }: GlueCall, input: Present<GetPartitionIndexesRequest>, request: GlueRequest) {
  pageOfNames("GetPartitionIndexes", request, {}, input, 1, []);
  await tableNamed(metastore, input.DatabaseName, input.TableName);
  return { PartitionIndexDescriptorList: [] };
}
