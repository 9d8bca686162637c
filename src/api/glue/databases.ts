/** Databases. Source: AWS Glue API, "Database API". */
import type {
  CreateDatabaseRequest,
  DatabaseInput,
  DeleteDatabaseRequest,
  GetDatabaseRequest,
  GetDatabasesRequest,
  UpdateDatabaseRequest,
} from "@aws-sdk/client-glue";
import type { Present } from "../../aws/operations.ts";
import { type Call, type HiveDatabase, hiveCatalog, type Metastore, MetastoreError } from "../../glue/metastore.ts";
import { alreadyExists, type GlueCall, type GlueRequest, invalidInput, notFound, refuse } from "./context.ts";
import { pageOfNames } from "./paging.ts";
import { type DatabaseFields, everybody, folded, fromHiveDatabase, noteOf, toHiveDatabase } from "./shapes.ts";
import { droppingTable } from "./tables.ts";
import { checkTags } from "./tags.ts";

const usualPage = 100;

/** Undefined where there is none. */
export async function findDatabase(metastore: Metastore, name: string): Promise<HiveDatabase | undefined> {
  try {
    return (await metastore.call(["getDatabase", hiveCatalog, folded(name)]))[0] as HiveDatabase;
  } catch (error) {
    if (error instanceof MetastoreError && error.exception === "NoSuchObjectException") return undefined;
    throw error;
  }
}

export async function databaseNamed(metastore: Metastore, name: string): Promise<HiveDatabase> {
  const found = await findDatabase(metastore, name);
  if (!found) throw notFound(`Database ${folded(name)} not found.`);
  return found;
}

function checkInput(input: Present<DatabaseInput>): DatabaseFields {
  refuse(input, {
    TargetDatabase: "links to other catalogs' databases are not kept.",
    FederatedDatabase: "databases outside the catalog are not in Howdah.",
  });
  const { CreateTableDefaultPermissions: permissions = [] } = input;
  if (permissions.length > 0 && JSON.stringify(permissions) !== JSON.stringify(everybody))
    throw invalidInput(
      "CreateTableDefaultPermissions: Lake Formation is not in Howdah: IAM's policies decide, so only ALL to IAM_ALLOWED_PRINCIPALS is true. Leave it out.",
    );
  return input as DatabaseFields;
}

export async function CreateDatabase({ metastore }: GlueCall, input: Present<CreateDatabaseRequest>, { now, principal }: GlueRequest) {
  const { Tags = {} } = input;
  checkTags(Tags);
  const fields = checkInput(input.DatabaseInput);
  if (await findDatabase(metastore, fields.Name)) throw alreadyExists("Database already exists.");
  await metastore.call(["createDatabase", toHiveDatabase(fields, { CreateTime: Number(now), CreatedBy: principal.arn, Tags })]);
  return {};
}

export async function GetDatabase({ metastore }: GlueCall, { Name }: Present<GetDatabaseRequest>, { accountId }: GlueRequest) {
  return { Database: fromHiveDatabase(await databaseNamed(metastore, Name), accountId) };
}

export async function GetDatabases({ metastore }: GlueCall, input: Present<GetDatabasesRequest>, request: GlueRequest) {
  // No database is shared, and none is elsewhere.
  if (input.ResourceShareType === "FOREIGN" || input.ResourceShareType === "FEDERATED") return { DatabaseList: [] };
  const [all] = (await metastore.call(["getAllDatabases", hiveCatalog])) as [string[]];
  const { names, NextToken } = pageOfNames("GetDatabases", request, {}, input, usualPage, all);
  const found = (await metastore.call(...names.map((name): Call => ["getDatabase", hiveCatalog, name]))) as HiveDatabase[];
  const only = input.AttributesToGet ?? [];
  const shown = found.map((database) => fromHiveDatabase(database, request.accountId));
  return { DatabaseList: only.length === 0 ? shown : shown.map(({ Name }) => ({ Name })), ...(NextToken && { NextToken }) };
}

export async function UpdateDatabase(
  { metastore }: GlueCall,
  { Name, DatabaseInput }: Present<UpdateDatabaseRequest>,
  request: GlueRequest,
) {
  const before = await databaseNamed(metastore, Name);
  const fields = checkInput(DatabaseInput);
  if (folded(fields.Name) !== before.name) throw invalidInput("DatabaseInput.Name: a database keeps its name.");
  const note = { ...noteOf(before.parameters), UpdateTime: Number(request.now) };
  await metastore.call(["alterDatabase", hiveCatalog, before.name, toHiveDatabase(fields, note)]);
  return {};
}

/** With its tables and functions, as in AWS; files stay. */
export async function DeleteDatabase({ metastore }: GlueCall, { Name }: Present<DeleteDatabaseRequest>) {
  const { name } = await databaseNamed(metastore, Name);
  const [tables, functions] = (await metastore.call(["getAllTables", hiveCatalog, name], ["getFunctions", hiveCatalog, name, "*"])) as [
    string[],
    string[],
  ];
  for (const table of tables) await metastore.call(...(await droppingTable(metastore, name, table)));
  await metastore.call(...functions.map((one): Call => ["dropFunction", hiveCatalog, name, one]), ["dropDatabase", hiveCatalog, name]);
  return {};
}
