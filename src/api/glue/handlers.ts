/** Glue's operations that are built: those of the catalog. */
import type { Handlers } from "../../aws/operations.ts";
import type { glue } from "../../aws/services/glue.ts";
import { bindQuery, type Operations } from "../bind.ts";
import { checkCatalog, type GlueCall, type GlueContext, type GlueRequest, inTurn } from "./context.ts";
import { CreateDatabase, DeleteDatabase, GetDatabase, GetDatabases, UpdateDatabase } from "./databases.ts";
import {
  BatchCreatePartition,
  BatchDeletePartition,
  BatchGetPartition,
  BatchUpdatePartition,
  CreatePartition,
  DeletePartition,
  GetPartition,
  GetPartitions,
  UpdatePartition,
} from "./partitions.ts";
import {
  BatchDeleteTable,
  CreateTable,
  DeleteTable,
  GetPartitionIndexes,
  GetTable,
  GetTables,
  GetTableVersion,
  GetTableVersions,
  UpdateTable,
} from "./tables.ts";
import { GetTags, TagResource, UntagResource } from "./tags.ts";

const operations: Operations<typeof glue, GlueCall> = {
  CreateDatabase,
  GetDatabase,
  GetDatabases,
  UpdateDatabase,
  DeleteDatabase,
  CreateTable,
  GetTable,
  GetTables,
  UpdateTable,
  DeleteTable,
  BatchDeleteTable,
  GetTableVersion,
  GetTableVersions,
  GetPartitionIndexes,
  CreatePartition,
  BatchCreatePartition,
  GetPartition,
  GetPartitions,
  BatchGetPartition,
  UpdatePartition,
  BatchUpdatePartition,
  DeletePartition,
  BatchDeletePartition,
  GetTags,
  TagResource,
  UntagResource,
};

export function glueHandlers(context: GlueContext): Handlers<typeof glue> {
  type Any = (call: GlueCall, input: never, request: GlueRequest) => Promise<unknown>;
  const bound = Object.entries(operations as Record<string, Any>).map(([name, operation]) => [
    name,
    (_: undefined, input: never, request: GlueRequest) => {
      checkCatalog(input, request);
      return inTurn(context, request.accountId, (call) => operation(call, input, request));
    },
  ]);
  return bindQuery<typeof glue, undefined>(undefined, Object.fromEntries(bound) as never, undefined, "InvalidInputException");
}

const catalogOnly = "Of Glue, Howdah has the catalog: databases, tables and partitions.";

/** By what an operation's name says, the first that fits. */
const advice: [RegExp, string][] = [
  [
    /Job|Trigger|Workflow|Blueprint|Session|Statement|DevEndpoint|Script|Dataflow|Mapping|Plan$/,
    "Run the script as a step of a cluster, by spark-submit.",
  ],
  [
    /Crawl|Classifier/,
    "Create the table by CreateTable, or by CREATE EXTERNAL TABLE on a cluster, where MSCK REPAIR TABLE finds its partitions.",
  ],
  [/ColumnStatistics/, "On a cluster, ANALYZE TABLE … COMPUTE STATISTICS FOR COLUMNS keeps them with the table."],
  [/UserDefinedFunction/, "On a cluster, CREATE FUNCTION keeps one in the catalog."],
  [/SearchTables/, "List tables by GetTables, with an Expression of their names."],
  [/Connection|Integration|Entit(y|ies)/, "Give an address and a secret to the job that reads it."],
  [/Schema|Registr/, "Give a table's columns in its StorageDescriptor."],
  [/ResourcePolic/, "Policies name databases and tables by their ARNs."],
];

/** What to do instead of an operation that is not there. */
export const instead = (operation: string): string =>
  [catalogOnly, ...advice.flatMap(([names, text]) => (names.test(operation) ? [text] : [])).slice(0, 1)].join(" ");
