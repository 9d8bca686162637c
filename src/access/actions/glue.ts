/** Glue. Source: Service Authorization Reference, "AWS Glue"; Glue Developer Guide, "Specifying AWS Glue resource ARNs": an action on a table asks for its database and the catalog, too. */
import { type Asked, type Caller, type Input, list, requestTags, text, textsOf } from "./asked.ts";

/** Of the catalog, what is named by the request's members. */
const ofCatalog =
  /^(Create|Get|Update|Delete|BatchDelete|BatchGet|BatchCreate|BatchUpdate)(Databases?|Tables?|TableVersions?|Partitions?|PartitionIndex(es)?)$/;
/** Of all databases of the catalog, or of all tables of a database. */
const all: Record<string, string> = { GetDatabases: "database/*", GetTables: "table" };

export function glueActions(operation: string, input: Input, { principal, region }: Caller): Asked[] {
  const action = `glue:${operation}`;
  // CatalogId of another account is that account's resource.
  const account = /^\d{12}$/.test(text(input.CatalogId) ?? "") ? text(input.CatalogId)! : principal.accountId;
  const tags = Object.entries({ ...(input.Tags as object), ...(input.TagsToAdd as object) });
  const keys = requestTags(tags.map(([Key, Value]) => ({ Key, Value: String(Value) })));
  const ask = (resource: string): Asked => ({ action, resource, keys });
  const arn = (resource: string) => ask(`arn:aws:glue:${region}:${account}:${resource}`);
  const named = text(input.ResourceArn);
  if (/^arn:aws:glue:[\w-]+:\d{12}:./.test(named ?? "")) return [ask(named!)];
  if (!ofCatalog.test(operation)) return [ask("*")];
  const isDatabase = /Databases?$/.test(operation);
  const database = fold(isDatabase ? (text(input.Name) ?? nameIn(input.DatabaseInput)) : text(input.DatabaseName));
  const found = [arn("catalog")];
  if (all[operation] === "database/*") return [...found, arn("database/*")];
  found.push(arn(`database/${database ?? "*"}`));
  if (isDatabase) return found;
  const own = [text(input.TableName), operation === "GetTables" ? undefined : (nameIn(input.TableInput) ?? text(input.Name))];
  const tables = [...own.filter((name) => name !== undefined), ...textsOf(list(input.TablesToDelete))];
  // With none of them, all tables of the database.
  for (const table of tables.length > 0 ? tables : ["*"]) found.push(arn(`table/${database ?? "*"}/${fold(table)}`));
  return found;
}

/** As the catalog folds names. */
const fold = (name: string | undefined): string | undefined => name?.trim().toLowerCase();

const nameIn = (shape: unknown): string | undefined => text((shape as { Name?: unknown } | undefined)?.Name);
