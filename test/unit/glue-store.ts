/** Accounts' metastores in memory, as far as Glue's operations ask: what Hive's own would answer to these calls. */
import {
  type Call,
  type Catalogs,
  type HiveDatabase,
  type HivePartition,
  type HiveTable,
  type Metastore,
  MetastoreError,
} from "../../src/glue/metastore.ts";
import { partitionName } from "../../src/api/glue/shapes.ts";

interface Kept {
  table: HiveTable;
  partitions: Map<string, HivePartition>;
}

function memoryMetastore(): Metastore {
  let databases = new Map<string, HiveDatabase>();
  let tables = new Map<string, Kept>();

  const there = (database: string, table: string): Kept => {
    const found = tables.get(`${database}.${table}`);
    if (!found) throw new MetastoreError("NoSuchObjectException", `${database}.${table}`);
    return found;
  };
  const tablesOf = (database: string) => [...tables.values()].filter(({ table }) => table.dbName === database);
  const methods: Record<string, (...args: never[]) => unknown> = {
    getAllDatabases: () => [...databases.keys()],
    getDatabase(_catalog: string, name: string) {
      if (!databases.has(name)) throw new MetastoreError("NoSuchObjectException", name);
      return databases.get(name);
    },
    createDatabase: (database: HiveDatabase) => void databases.set(database.name, database),
    alterDatabase: (_catalog: string, name: string, database: HiveDatabase) => databases.set(name, database) && true,
    dropDatabase(_catalog: string, name: string) {
      if (tablesOf(name).length > 0) throw new MetastoreError("JDODataStoreException", "it has tables");
      return databases.delete(name);
    },
    getFunctions: () => [],
    getAllTables: (_catalog: string, database: string) => tablesOf(database).map(({ table }) => table.tableName),
    getTable: (_catalog: string, database: string, name: string) => tables.get(`${database}.${name}`)?.table ?? null,
    getTableObjectsByName: (_catalog: string, database: string, names: string[]) =>
      names.flatMap((name) => tables.get(`${database}.${name}`)?.table ?? []),
    createTable(table: HiveTable) {
      if (!databases.has(table.dbName)) throw new MetastoreError("InvalidObjectException", table.dbName);
      tables.set(`${table.dbName}.${table.tableName}`, { table, partitions: new Map() });
    },
    alterTable: (_catalog: string, database: string, name: string, table: HiveTable) =>
      void Object.assign(there(database, name), { table }),
    dropTable(_catalog: string, database: string, name: string) {
      if (there(database, name).partitions.size > 0) throw new MetastoreError("JDODataStoreException", "it has partitions");
      return tables.delete(`${database}.${name}`);
    },
    listPartitionNames: (_catalog: string, database: string, name: string) => [...there(database, name).partitions.keys()],
    getPartitionsByNames: (_catalog: string, database: string, name: string, names: string[]) =>
      [...new Set(names)].flatMap((one) => there(database, name).partitions.get(one) ?? []),
    addPartitions(_catalog: string, database: string, name: string, added: HivePartition[]) {
      const { table, partitions } = there(database, name);
      for (const one of added) {
        if (partitions.has(partitionName(table, one.values))) throw new MetastoreError("JDODataStoreException", "it is there");
        partitions.set(partitionName(table, one.values), one);
      }
      return true;
    },
    alterPartition(_catalog: string, database: string, name: string, values: string[], next: HivePartition) {
      const { table, partitions } = there(database, name);
      partitions.set(partitionName(table, values), next);
    },
    dropPartitions(_catalog: string, database: string, name: string, names: string[]) {
      for (const one of names) there(database, name).partitions.delete(one);
    },
  };
  return {
    async call(...calls: Call[]) {
      const before = [structuredClone(databases), structuredClone(tables)] as const;
      try {
        // As over the wire.
        return calls.map(([method, ...args]) => {
          const given = structuredClone(methods[method]!(...(JSON.parse(JSON.stringify(args)) as never[])));
          return given === undefined ? null : given;
        });
      } catch (error) {
        [databases, tables] = before;
        throw error;
      }
    },
  };
}

export function memoryCatalogs(): Catalogs {
  const all = new Map<string, Metastore>();
  let turn: Promise<unknown> = Promise.resolve();
  return {
    async of(accountId) {
      const metastore = all.get(accountId) ?? memoryMetastore();
      all.set(accountId, metastore);
      return metastore;
    },
    inTurn(_accountId, work) {
      const mine = turn.then(work, work);
      turn = mine;
      return mine;
    },
  };
}
