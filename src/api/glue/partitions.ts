/** Partitions. Source: AWS Glue API, "Partition API". */
import type {
  BatchCreatePartitionRequest,
  BatchDeletePartitionRequest,
  BatchGetPartitionRequest,
  BatchUpdatePartitionRequest,
  CreatePartitionRequest,
  DeletePartitionRequest,
  GetPartitionRequest,
  GetPartitionsRequest,
  PartitionError,
  PartitionInput,
  UpdatePartitionRequest,
} from "@aws-sdk/client-glue";
import { AwsError } from "../../aws/errors.ts";
import type { Present } from "../../aws/operations.ts";
import { type HivePartition, type HiveTable, hiveCatalog, type Metastore } from "../../glue/metastore.ts";
import { alreadyExists, type GlueCall, type GlueRequest, invalidInput, notFound, refuse } from "./context.ts";
import { readExpression } from "./expression.ts";
import { pageOfNames } from "./paging.ts";
import { fromHivePartition, partitionName, toHivePartition, valuesOfName } from "./shapes.ts";
import { tableNamed } from "./tables.ts";

const usualPage = 100;

interface OfTable {
  DatabaseName: string;
  TableName: string;
}

const tableOf = (metastore: Metastore, { DatabaseName, TableName }: OfTable): Promise<HiveTable> =>
  tableNamed(metastore, DatabaseName, TableName);

/** Those of these that are there, by name. */
async function findPartitions(metastore: Metastore, table: HiveTable, names: readonly string[]): Promise<Map<string, HivePartition>> {
  const [found] = (await metastore.call(["getPartitionsByNames", hiveCatalog, table.dbName, table.tableName, names])) as [HivePartition[]];
  return new Map(found.map((one) => [partitionName(table, one.values), one]));
}

/** The name of a partition of the table with these values. */
function nameOf(table: HiveTable, values: readonly string[]): string {
  const keys = table.partitionKeys?.length ?? 0;
  if (values.length !== keys) throw invalidInput(`The table has ${keys} partition keys, and ${values.length} values are given.`);
  return partitionName(table, values);
}

const notThere = (values: readonly string[]) => notFound(`Cannot find partition: ${values.join(", ")}.`);

/** What AWS answers for one of many. */
const errorOf = (values: readonly string[], { code, message }: AwsError): PartitionError => ({
  PartitionValues: [...values],
  ErrorDetail: { ErrorCode: code, ErrorMessage: message },
});

/** Those that cannot be taken, and why; throws what is no fault of a partition. */
function sortOut<Item, Taken>(items: readonly Item[], values: (item: Item) => readonly string[], take: (item: Item) => Taken) {
  const [taken, errors]: [Taken[], PartitionError[]] = [[], []];
  for (const item of items)
    try {
      taken.push(take(item));
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      errors.push(errorOf(values(item), error));
    }
  return { taken, errors };
}

export async function CreatePartition(call: GlueCall, input: Present<CreatePartitionRequest>, request: GlueRequest) {
  const { errors } = await create(call, input, [input.PartitionInput], request);
  const [detail] = errors.map(({ ErrorDetail }) => ErrorDetail!);
  if (detail) throw new AwsError(detail.ErrorCode!, detail.ErrorMessage!);
  return {};
}

export async function BatchCreatePartition(call: GlueCall, input: Present<BatchCreatePartitionRequest>, request: GlueRequest) {
  const { errors } = await create(call, input, input.PartitionInputList, request);
  return { Errors: errors };
}

async function create({ metastore }: GlueCall, of: OfTable, inputs: readonly Present<PartitionInput>[], { now }: GlueRequest) {
  const table = await tableOf(metastore, of);
  const wished = sortOut(
    inputs,
    ({ Values }) => Values ?? [],
    (input) => toHivePartition(table, input, now),
  );
  const there = await findPartitions(
    metastore,
    table,
    wished.taken.map(({ values }) => partitionName(table, values)),
  );
  const seen = new Set(there.keys());
  const { taken, errors } = sortOut(
    wished.taken,
    ({ values }) => values,
    (partition) => {
      const name = partitionName(table, partition.values);
      if (seen.has(name)) throw alreadyExists("Partition already exists.");
      seen.add(name);
      return partition;
    },
  );
  if (taken.length > 0) await metastore.call(["addPartitions", hiveCatalog, table.dbName, table.tableName, taken]);
  return { errors: [...wished.errors, ...errors] };
}

export async function GetPartition({ metastore }: GlueCall, input: Present<GetPartitionRequest>, { accountId }: GlueRequest) {
  refuse(input, { AuditContext: "Lake Formation is not in Howdah." });
  const table = await tableOf(metastore, input);
  const [found] = (await findPartitions(metastore, table, [nameOf(table, input.PartitionValues)])).values();
  if (!found) throw notThere(input.PartitionValues);
  return { Partition: fromHivePartition(found, accountId) };
}

export async function GetPartitions({ metastore }: GlueCall, input: Present<GetPartitionsRequest>, request: GlueRequest) {
  refuse(input, {
    TransactionId: "transactions of Lake Formation are not in Howdah.",
    QueryAsOfTime: "partitions are not kept as they were: leave it out.",
    AuditContext: "Lake Formation is not in Howdah.",
  });
  const table = await tableOf(metastore, input);
  const isAsked = readExpression(input.Expression ?? "", table.partitionKeys ?? []);
  const [all] = (await metastore.call(["listPartitionNames", hiveCatalog, table.dbName, table.tableName, -1])) as [string[]];
  const { Expression, Segment } = input;
  if (Segment && Segment.SegmentNumber >= Segment.TotalSegments)
    throw invalidInput(`Segment: there is no segment ${Segment.SegmentNumber} of ${Segment.TotalSegments}: they are counted from 0.`);
  const names = all.filter((name) => isAsked(valuesOfName(name)) && (!Segment || isOfSegment(name, Segment)));
  const scope = { table: `${table.dbName}.${table.tableName}`, Expression, Segment };
  const page = pageOfNames("GetPartitions", request, scope, input, usualPage, names);
  const found = await findPartitions(metastore, table, page.names);
  const Partitions = page.names
    .flatMap((name) => found.get(name) ?? [])
    .map((one) => fromHivePartition(one, request.accountId, !input.ExcludeColumnSchema));
  return { Partitions, ...(page.NextToken && { NextToken: page.NextToken }) };
}

/** Each name is in one segment, whatever others there are. */
function isOfSegment(name: string, { SegmentNumber, TotalSegments }: { SegmentNumber: number; TotalSegments: number }): boolean {
  const sum = [...name].reduce((hash, letter) => (hash * 31 + letter.codePointAt(0)!) >>> 0, 0);
  return sum % TotalSegments === SegmentNumber;
}

export async function BatchGetPartition({ metastore }: GlueCall, input: Present<BatchGetPartitionRequest>, { accountId }: GlueRequest) {
  refuse(input, { AuditContext: "Lake Formation is not in Howdah." });
  const table = await tableOf(metastore, input);
  const asked = input.PartitionsToGet.map(({ Values }) => ({ Values, name: nameOf(table, Values) }));
  const found = await findPartitions(
    metastore,
    table,
    asked.map(({ name }) => name),
  );
  return {
    Partitions: asked.flatMap(({ name }) => found.get(name) ?? []).map((one) => fromHivePartition(one, accountId)),
    UnprocessedKeys: [],
  };
}

interface Change {
  values: readonly string[];
  input: Present<PartitionInput>;
}

async function change({ metastore }: GlueCall, of: OfTable, changes: readonly Change[], { now }: GlueRequest) {
  const table = await tableOf(metastore, of);
  const names = new Map(changes.map((one) => [one, nameOf(table, one.values)]));
  const there = await findPartitions(metastore, table, [...names.values()]);
  const { taken, errors } = sortOut(
    changes,
    ({ values }) => values,
    (one) => {
      const before = there.get(names.get(one)!);
      if (!before) throw notThere(one.values);
      const next = toHivePartition(table, { ...one.input, Values: one.input.Values ?? [...one.values] }, now, before.createTime);
      if (partitionName(table, next.values) !== names.get(one))
        throw invalidInput("PartitionInput.Values: a partition keeps its values: delete it, and create another.");
      return next;
    },
  );
  for (const next of taken) await metastore.call(["alterPartition", hiveCatalog, table.dbName, table.tableName, next.values, next]);
  return errors;
}

export async function UpdatePartition(call: GlueCall, input: Present<UpdatePartitionRequest>, request: GlueRequest) {
  const [error] = await change(call, input, [{ values: input.PartitionValueList, input: input.PartitionInput }], request);
  if (error) throw new AwsError(error.ErrorDetail!.ErrorCode!, error.ErrorDetail!.ErrorMessage!);
  return {};
}

export async function BatchUpdatePartition(call: GlueCall, input: Present<BatchUpdatePartitionRequest>, request: GlueRequest) {
  const changes = input.Entries.map(({ PartitionValueList, PartitionInput }) => ({ values: PartitionValueList, input: PartitionInput }));
  const errors = await change(call, input, changes, request);
  return { Errors: errors.map(({ PartitionValues, ErrorDetail }) => ({ PartitionValueList: PartitionValues, ErrorDetail })) };
}

/** Files stay. */
export async function DeletePartition({ metastore }: GlueCall, input: Present<DeletePartitionRequest>) {
  const table = await tableOf(metastore, input);
  const name = nameOf(table, input.PartitionValues);
  if (!(await findPartitions(metastore, table, [name])).has(name)) throw notThere(input.PartitionValues);
  await metastore.call(["dropPartitions", hiveCatalog, table.dbName, table.tableName, [name]]);
  return {};
}

export async function BatchDeletePartition({ metastore }: GlueCall, input: Present<BatchDeletePartitionRequest>) {
  const table = await tableOf(metastore, input);
  const asked = input.PartitionsToDelete.map(({ Values }) => ({ Values, name: nameOf(table, Values) }));
  const there = await findPartitions(
    metastore,
    table,
    asked.map(({ name }) => name),
  );
  if (there.size > 0) await metastore.call(["dropPartitions", hiveCatalog, table.dbName, table.tableName, [...there.keys()]]);
  return { Errors: asked.filter(({ name }) => !there.has(name)).map(({ Values }) => errorOf(Values, notThere(Values))) };
}
