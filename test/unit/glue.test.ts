/** Glue's catalog as AWS's own client sees it, over a metastore in memory; test/integration/glue.test.ts has the real one. */
import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import {
  BatchCreatePartitionCommand,
  BatchDeletePartitionCommand,
  BatchDeleteTableCommand,
  BatchGetPartitionCommand,
  BatchUpdatePartitionCommand,
  CreateDatabaseCommand,
  CreateJobCommand,
  CreatePartitionCommand,
  CreateTableCommand,
  DeleteDatabaseCommand,
  DeletePartitionCommand,
  DeleteTableCommand,
  GetDatabaseCommand,
  GetDatabasesCommand,
  GetPartitionCommand,
  GetPartitionIndexesCommand,
  GetPartitionsCommand,
  GetTableCommand,
  GetTablesCommand,
  GetTableVersionCommand,
  GetTableVersionsCommand,
  GetTagsCommand,
  GlueClient,
  StartCrawlerCommand,
  TagResourceCommand,
  UntagResourceCommand,
  UpdateDatabaseCommand,
  UpdatePartitionCommand,
  UpdateTableCommand,
} from "@aws-sdk/client-glue";
import { CreateAccessKeyCommand, CreateUserCommand, PutUserPolicyCommand } from "@aws-sdk/client-iam";
import { glueHandlers } from "../../src/api/glue/handlers.ts";
import type { RequestContext } from "../../src/aws/operations.ts";
import { type Catalogs, NotReady } from "../../src/glue/metastore.ts";
import { memoryCatalogs } from "./glue-store.ts";
import { type Api, type Credentials, startApi } from "./iam-harness.ts";

let api: Api;
let glue: GlueClient;
const clientOf = (credentials: Credentials) => new GlueClient({ endpoint: api.endpoint, region: "us-east-1", credentials, maxAttempts: 1 });
before(async () => {
  api = await startApi();
  glue = clientOf(api.admin);
});
after(() => api.close());

const create = (Name: string, more: object = {}) => glue.send(new CreateDatabaseCommand({ DatabaseInput: { Name, ...more } }));
const StorageDescriptor = {
  Columns: [{ Name: "id", Type: "bigint", Comment: "the key", Parameters: { unit: "none" } }, { Name: "name" }],
  Location: "s3://bucket/cows/",
  InputFormat: "org.apache.hadoop.mapred.TextInputFormat",
  OutputFormat: "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
  SerdeInfo: { SerializationLibrary: "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe", Parameters: { "field.delim": "," } },
};
const cows = {
  Name: "Cows",
  TableType: "EXTERNAL_TABLE",
  StorageDescriptor,
  Parameters: { classification: "csv" },
  Description: "all of them",
};
const herds = {
  ...cows,
  Name: "herds",
  PartitionKeys: [
    { Name: "year", Type: "int" },
    { Name: "place", Type: "string" },
  ],
};
const of = { DatabaseName: "farm", TableName: "herds" };

describe("databases", () => {
  test("are created, shown, changed and deleted, with names in lower case", async () => {
    await create("Farm", { Description: "d", LocationUri: "s3://bucket/farm/", Parameters: { a: "b" } });
    await assert.rejects(create("farm"), { name: "AlreadyExistsException", message: "Database already exists." });
    const { Database } = await glue.send(new GetDatabaseCommand({ Name: "FARM" }));
    assert.ok(Database?.CreateTime instanceof Date);
    const { CreateTime, ...shown } = Database;
    assert.deepEqual(shown, {
      Name: "farm",
      Description: "d",
      LocationUri: "s3://bucket/farm/",
      Parameters: { a: "b" },
      CatalogId: api.account,
      CreateTableDefaultPermissions: [{ Principal: { DataLakePrincipalIdentifier: "IAM_ALLOWED_PRINCIPALS" }, Permissions: ["ALL"] }],
    });
    await glue.send(new UpdateDatabaseCommand({ Name: "farm", DatabaseInput: { Name: "farm", Parameters: { c: "d" } } }));
    const changed = (await glue.send(new GetDatabaseCommand({ Name: "farm" }))).Database!;
    assert.deepEqual([changed.Description, changed.LocationUri, changed.Parameters], [undefined, undefined, { c: "d" }]);
    assert.deepEqual(changed.CreateTime, CreateTime);
    assert.deepEqual(
      (await glue.send(new GetTagsCommand({ ResourceArn: `arn:aws:glue:us-east-1:${api.account}:database/farm` }))).Tags,
      {},
    );
    const ResourceArn = `arn:aws:glue:us-east-1:${api.account}:database/farm`;
    await glue.send(new TagResourceCommand({ ResourceArn, TagsToAdd: { a: "b", c: "d" } }));
    await glue.send(new UntagResourceCommand({ ResourceArn, TagsToRemove: ["c"] }));
    await glue.send(new UpdateDatabaseCommand({ Name: "farm", DatabaseInput: { Name: "farm" } }));
    assert.deepEqual((await glue.send(new GetTagsCommand({ ResourceArn }))).Tags, { a: "b" });
    await assert.rejects(glue.send(new TagResourceCommand({ ResourceArn, TagsToAdd: { "aws:a": "b" } })), {
      name: "InvalidInputException",
    });
    await glue.send(new CreateTableCommand({ DatabaseName: "farm", TableInput: cows }));
    await glue.send(new DeleteDatabaseCommand({ Name: "farm" }));
    await assert.rejects(glue.send(new GetDatabaseCommand({ Name: "farm" })), {
      name: "EntityNotFoundException",
      message: "Database farm not found.",
    });
    await assert.rejects(glue.send(new DeleteDatabaseCommand({ Name: "farm" })), { name: "EntityNotFoundException" });
  });

  test("are listed by pages", async () => {
    for (const name of ["c", "a", "b"]) await create(name);
    const first = await glue.send(new GetDatabasesCommand({ MaxResults: 2 }));
    await glue.send(new DeleteDatabaseCommand({ Name: "b" }));
    const second = await glue.send(new GetDatabasesCommand({ NextToken: first.NextToken! }));
    assert.deepEqual(
      [first, second].map(({ DatabaseList }) => DatabaseList!.map(({ Name }) => Name)),
      [["a", "b"], ["c"]],
    );
    assert.equal(second.NextToken, undefined);
    await assert.rejects(glue.send(new GetDatabasesCommand({ NextToken: "x" })), { name: "InvalidInputException" });
    for (const name of ["c", "a"]) await glue.send(new DeleteDatabaseCommand({ Name: name }));
  });

  test("what has no effect is refused", async () => {
    await assert.rejects(glue.send(new GetDatabaseCommand({ Name: "a", CatalogId: "999999999999" })), { name: "EntityNotFoundException" });
    await assert.rejects(create("x", { TargetDatabase: { DatabaseName: "y" } }), {
      name: "InvalidInputException",
      message: /TargetDatabase/,
    });
  });
});

describe("tables and partitions", () => {
  beforeEach(async () => {
    await glue.send(new DeleteDatabaseCommand({ Name: "farm" })).catch(() => {});
    await create("farm");
    await glue.send(new CreateTableCommand({ DatabaseName: "farm", TableInput: cows }));
    await glue.send(new CreateTableCommand({ DatabaseName: "farm", TableInput: herds }));
  });

  test("a table is shown as it was created", async () => {
    const { Table } = await glue.send(new GetTableCommand({ DatabaseName: "farm", Name: "COWS" }));
    const { CreateTime, UpdateTime, StorageDescriptor: sd, ...shown } = Table!;
    assert.ok(CreateTime instanceof Date && UpdateTime instanceof Date);
    assert.deepEqual(shown, {
      Name: "cows",
      DatabaseName: "farm",
      Description: "all of them",
      Retention: 0,
      PartitionKeys: [],
      TableType: "EXTERNAL_TABLE",
      Parameters: { classification: "csv" },
      CreatedBy: (await glue.config.credentials()).accessKeyId && `arn:aws:iam::${api.account}:user/admin`,
      IsRegisteredWithLakeFormation: false,
      IsMultiDialectView: false,
      CatalogId: api.account,
      VersionId: "0",
    });
    assert.deepEqual(sd, {
      ...StorageDescriptor,
      Columns: [StorageDescriptor.Columns[0], { Name: "name", Type: "string" }],
      Compressed: false,
      NumberOfBuckets: 0,
      BucketColumns: [],
      SortColumns: [],
      Parameters: {},
      StoredAsSubDirectories: false,
    });
    await assert.rejects(glue.send(new CreateTableCommand({ DatabaseName: "farm", TableInput: cows })), { name: "AlreadyExistsException" });
    await assert.rejects(glue.send(new CreateTableCommand({ DatabaseName: "none", TableInput: cows })), {
      name: "EntityNotFoundException",
    });
  });

  test("is changed, at the version that is named; its one version is the latest", async () => {
    const update = (more: object) =>
      glue.send(new UpdateTableCommand({ DatabaseName: "farm", TableInput: { ...cows, Owner: "me" }, ...more }));
    await update({ VersionId: "0" });
    await assert.rejects(update({ VersionId: "0" }), { name: "ConcurrentModificationException" });
    const { TableVersions } = await glue.send(new GetTableVersionsCommand({ DatabaseName: "farm", TableName: "cows" }));
    assert.deepEqual(
      TableVersions!.map(({ VersionId, Table }) => [VersionId, Table!.Owner]),
      [["1", "me"]],
    );
    const version = (VersionId: string) => glue.send(new GetTableVersionCommand({ DatabaseName: "farm", TableName: "cows", VersionId }));
    assert.equal((await version("1")).TableVersion!.VersionId, "1");
    await assert.rejects(version("0"), { name: "EntityNotFoundException" });
    assert.deepEqual((await glue.send(new GetPartitionIndexesCommand(of))).PartitionIndexDescriptorList, []);
  });

  test("are listed by names, and deleted", async () => {
    const names = async (Expression?: string) =>
      (await glue.send(new GetTablesCommand({ DatabaseName: "farm", ...(Expression && { Expression }) }))).TableList!.map(
        ({ Name }) => Name,
      );
    assert.deepEqual(await names(), ["cows", "herds"]);
    for (const [expression, found] of [
      ["c*", ["cows"]],
      ["^h.*s$", ["herds"]],
      ["cow.|x", ["cows"]],
      ["*o*", ["cows"]],
      ["cow", []],
    ] as const)
      assert.deepEqual(await names(expression), found, expression);
    await assert.rejects(names("(a+)+"), { name: "InvalidInputException" });
    await glue.send(new CreatePartitionCommand({ ...of, PartitionInput: { Values: ["2026", "here"] } }));
    await glue.send(new DeleteTableCommand({ DatabaseName: "farm", Name: "herds" }));
    const { Errors } = await glue.send(new BatchDeleteTableCommand({ DatabaseName: "farm", TablesToDelete: ["cows", "none"] }));
    assert.deepEqual(
      Errors!.map(({ TableName, ErrorDetail }) => [TableName, ErrorDetail!.ErrorCode]),
      [["none", "EntityNotFoundException"]],
    );
    assert.deepEqual(await names(), []);
    await assert.rejects(glue.send(new GetTableCommand({ DatabaseName: "farm", Name: "cows" })), { name: "EntityNotFoundException" });
  });

  test("partitions: one by one, many, by an expression, by pages and segments", async () => {
    const input = (...Values: string[]) => ({ Values, StorageDescriptor, Parameters: { rows: "1" } });
    await glue.send(new CreatePartitionCommand({ ...of, PartitionInput: input("2025", "a/b") }));
    await assert.rejects(glue.send(new CreatePartitionCommand({ ...of, PartitionInput: input("2025", "a/b") })), {
      name: "AlreadyExistsException",
      message: "Partition already exists.",
    });
    await assert.rejects(glue.send(new CreatePartitionCommand({ ...of, PartitionInput: input("2025") })), {
      name: "InvalidInputException",
    });
    const many = [input("2025", "a/b"), input("2026", "x"), input("2026", "y"), input("2026", "y")];
    const { Errors } = await glue.send(new BatchCreatePartitionCommand({ ...of, PartitionInputList: many }));
    assert.deepEqual(
      Errors!.map(({ PartitionValues, ErrorDetail }) => [PartitionValues, ErrorDetail!.ErrorCode]),
      [
        [["2025", "a/b"], "AlreadyExistsException"],
        [["2026", "y"], "AlreadyExistsException"],
      ],
    );
    const { Partition } = await glue.send(new GetPartitionCommand({ ...of, PartitionValues: ["2025", "a/b"] }));
    assert.deepEqual(
      [Partition!.Values, Partition!.Parameters, Partition!.StorageDescriptor!.Columns!.length],
      [["2025", "a/b"], { rows: "1" }, 2],
    );
    const list = async (more: object) => {
      const pages = [];
      for (let token: string | undefined; ;) {
        const page = await glue.send(new GetPartitionsCommand({ ...of, ...more, ...(token && { NextToken: token }) }));
        pages.push(page.Partitions!.map(({ Values }) => Values!.join()));
        token = page.NextToken;
        if (!token) return pages;
      }
    };
    assert.deepEqual(await list({ Expression: "year >= 2026 AND place <> 'x'" }), [["2026,y"]]);
    assert.deepEqual(await list({ Expression: "place = 'a/b'" }), [["2025,a/b"]]);
    assert.deepEqual(await list({ MaxResults: 2 }), [["2025,a/b", "2026,x"], ["2026,y"]]);
    const segments = await Promise.all([0, 1].map((SegmentNumber) => list({ Segment: { SegmentNumber, TotalSegments: 2 } })));
    assert.deepEqual(segments.flat(2).toSorted(), ["2025,a/b", "2026,x", "2026,y"]);
    const got = await glue.send(
      new BatchGetPartitionCommand({ ...of, PartitionsToGet: [{ Values: ["2026", "x"] }, { Values: ["1", "x"] }] }),
    );
    assert.deepEqual(
      got.Partitions!.map(({ Values }) => Values),
      [["2026", "x"]],
    );
    const changed = { Values: ["2026", "x"], Parameters: { rows: "2" } };
    await glue.send(new UpdatePartitionCommand({ ...of, PartitionValueList: ["2026", "x"], PartitionInput: changed }));
    const { Partition: after } = await glue.send(new GetPartitionCommand({ ...of, PartitionValues: ["2026", "x"] }));
    assert.deepEqual(after!.Parameters, { rows: "2" });
    const Entries = [
      { PartitionValueList: ["2026", "y"], PartitionInput: { ...changed, Values: ["2026", "y"] } },
      { PartitionValueList: ["1", "y"], PartitionInput: changed },
    ];
    const batch = await glue.send(new BatchUpdatePartitionCommand({ ...of, Entries }));
    assert.deepEqual(
      batch.Errors!.map(({ PartitionValueList }) => PartitionValueList),
      [["1", "y"]],
    );
    await glue.send(new DeletePartitionCommand({ ...of, PartitionValues: ["2026", "x"] }));
    await assert.rejects(glue.send(new DeletePartitionCommand({ ...of, PartitionValues: ["2026", "x"] })), {
      name: "EntityNotFoundException",
    });
    const gone = await glue.send(
      new BatchDeletePartitionCommand({ ...of, PartitionsToDelete: [{ Values: ["2026", "y"] }, { Values: ["1", "y"] }] }),
    );
    assert.equal(gone.Errors!.length, 1);
    assert.deepEqual(await list({}), [["2025,a/b"]]);
  });
});

test("a table asks for its database and the catalog, too", async () => {
  const iam = api.iam();
  await iam.send(new CreateUserCommand({ UserName: "reader" }));
  const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName: "reader" }));
  const reader = clientOf({ accessKeyId: AccessKey!.AccessKeyId!, secretAccessKey: AccessKey!.SecretAccessKey! });
  const allow = async (...resources: string[]) => {
    const Resource = resources.map((resource) => `arn:aws:glue:us-east-1:${api.account}:${resource}`);
    const PolicyDocument = JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: "glue:Get*", Resource }] });
    await iam.send(new PutUserPolicyCommand({ UserName: "reader", PolicyName: "p", PolicyDocument }));
  };
  const get = () => reader.send(new GetTableCommand({ DatabaseName: "farm", Name: "Cows" }));
  await allow("catalog", "table/farm/cows");
  await assert.rejects(get(), {
    name: "AccessDeniedException",
    message: /glue:GetTable on resource: arn:aws:glue:us-east-1:\d{12}:database\/farm /,
  });
  await allow("catalog", "database/farm", "table/farm/cows");
  assert.equal((await get()).Table!.Name, "cows");
  await assert.rejects(reader.send(new GetTablesCommand({ DatabaseName: "farm" })), {
    name: "AccessDeniedException",
    message: /table\/farm\/\*/,
  });
  await assert.rejects(reader.send(new DeleteTableCommand({ DatabaseName: "farm", Name: "cows" })), { name: "AccessDeniedException" });
});

test("Glue's other operations say what to do instead", async () => {
  const job = new CreateJobCommand({ Name: "j", Role: "r", Command: {} });
  await assert.rejects(glue.send(job), {
    name: "OperationNotSupportedException",
    message: /CreateJob is not there yet.* as a step of a cluster/,
  });
  await assert.rejects(glue.send(new StartCrawlerCommand({ Name: "c" })), { message: /MSCK REPAIR TABLE/ });
});

test("where there is no metastore, or not yet, the answer says so", async () => {
  const request = { accountId: api.account, unknownMembers: [] } as unknown as RequestContext;
  const ask = (catalogs: Catalogs | undefined) => glueHandlers({ catalogs }).GetDatabases!({}, request);
  await assert.rejects(async () => ask(undefined), {
    name: "OperationNotSupportedException",
    message: /nodes of this Howdah are simulated/,
  });
  const coming = { ...memoryCatalogs(), of: () => Promise.reject(new NotReady("Hive is brought")) };
  await assert.rejects(async () => ask(coming), { name: "ResourceNotReadyException", message: /Hive is brought/ });
});
