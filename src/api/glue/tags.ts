/** Tags of databases; tables have none, as in AWS. Source: AWS Glue API, "Tagging API". */
import type { GetTagsRequest, TagResourceRequest, UntagResourceRequest } from "@aws-sdk/client-glue";
import type { Present } from "../../aws/operations.ts";
import { type HiveDatabase, hiveCatalog, type Metastore } from "../../glue/metastore.ts";
import { type GlueCall, type GlueRequest, invalidInput, notFound } from "./context.ts";
import { databaseNamed } from "./databases.ts";
import { noteOf, withTags } from "./shapes.ts";
import { tableNamed } from "./tables.ts";

const mostTags = 50;

/** Undefined for a table, which is there. */
async function find(metastore: Metastore, arn: string, { accountId }: GlueRequest): Promise<HiveDatabase | undefined> {
  const [, owner, kind, database = "", table = ""] = /^arn:aws:glue:[\w-]+:(\d{12}):(database|table)\/([^/]+)(?:\/(.+))?$/.exec(arn) ?? [];
  if (owner !== accountId || (kind === "table") !== (table !== "")) throw notFound(`${arn} not found.`);
  if (kind === "database") return databaseNamed(metastore, database);
  await tableNamed(metastore, database, table);
  return undefined;
}

export function checkTags(tags: Record<string, string>): void {
  if (Object.keys(tags).length > mostTags) throw invalidInput(`Tags: at most ${mostTags}.`);
  for (const key of Object.keys(tags))
    if (/^aws:/i.test(key)) throw invalidInput(`Tags: '${key}': keys that begin with aws: are AWS's own.`);
}

export async function GetTags({ metastore }: GlueCall, { ResourceArn }: Present<GetTagsRequest>, request: GlueRequest) {
  return { Tags: noteOf((await find(metastore, ResourceArn, request))?.parameters).Tags ?? {} };
}

async function change(
  metastore: Metastore,
  arn: string,
  request: GlueRequest,
  next: (tags: Record<string, string>) => Record<string, string>,
) {
  const database = await find(metastore, arn, request);
  if (!database) throw invalidInput("Tables have no tags: tag their database.");
  const tags = next(noteOf(database.parameters).Tags ?? {});
  checkTags(tags);
  await metastore.call(["alterDatabase", hiveCatalog, database.name, withTags(database, tags)]);
  return {};
}

export const TagResource = ({ metastore }: GlueCall, { ResourceArn, TagsToAdd }: Present<TagResourceRequest>, request: GlueRequest) =>
  change(metastore, ResourceArn, request, (tags) => ({ ...tags, ...TagsToAdd }));

export const UntagResource = (
  { metastore }: GlueCall,
  { ResourceArn, TagsToRemove }: Present<UntagResourceRequest>,
  request: GlueRequest,
) =>
  change(metastore, ResourceArn, request, (tags) =>
    Object.fromEntries(Object.entries(tags).filter(([key]) => !TagsToRemove.includes(key))),
  );
