import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { withStore } from "../../src/cli/find.ts";
import { dataFolder } from "../../src/data-folder.ts";
import { findCluster } from "../../src/store/clusters.ts";
import { migrations } from "../../src/store/schema.ts";
import { stepsOf } from "../../src/store/steps.ts";
import { openStore } from "../../src/store/store.ts";

test("a store of the first version keeps what was only in the spec of a cluster, and which step ended it", async () => {
  const folder = mkdtempSync(join(tmpdir(), "howdah-migrations-"));
  const path = join(folder, "howdah.db");
  const old = new DatabaseSync(path);
  old.exec(`${migrations[0]}; PRAGMA user_version=1;`);
  const cluster = old.prepare(
    "INSERT INTO clusters (id, account_id, region, created_at, spec, termination_protected, phase) VALUES (?, '1', 'us-east-1', 1, ?, 0, 'ready')",
  );
  cluster.run("j-1", JSON.stringify({ keepAliveWhenNoSteps: true, stepConcurrencyLevel: 7, shown: { VisibleToAllUsers: false } }));
  cluster.run("j-2", JSON.stringify({ keepAliveWhenNoSteps: false, stepConcurrencyLevel: 1, shown: {} }));
  const step = old.prepare("INSERT INTO steps (id, cluster_id, seq, spec, created_at, state) VALUES (?, 'j-1', ?, ?, 1, ?)");
  step.run("s-1", 1, JSON.stringify({ actionOnFailure: "TERMINATE_JOB_FLOW" }), "FAILED");
  step.run("s-2", 2, JSON.stringify({ actionOnFailure: "TERMINATE_CLUSTER" }), "COMPLETED");
  step.run("s-3", 3, JSON.stringify({ actionOnFailure: "CONTINUE" }), "FAILED");
  old.close();

  const store = await openStore(path);
  try {
    const found = async (id: string) => {
      const row = (await findCluster(store.db, id))!;
      return [row.keep_alive, row.step_concurrency_level, row.visible_to_all_users, row.extended_support];
    };
    assert.deepEqual(await found("j-1"), [1, 7, 0, null]);
    assert.deepEqual(await found("j-2"), [0, 1, 1, null]);
    const steps = await stepsOf(store.db, "j-1");
    assert.deepEqual(
      steps.map((row) => [row.ends_cluster, row.cancel_requested_at, row.cancel_option]),
      [
        [1, null, null],
        [0, null, null],
        [0, null, null],
      ],
    );
  } finally {
    await store.close();
    rmSync(folder, { recursive: true });
  }
});

const released = JSON.parse(readFileSync(join(import.meta.dirname, "migrations.json"), "utf8")) as string[];
const digest = (text: string) => createHash("sha256").update(text).digest("hex");

test("no migration of a release is edited, moved or removed", () => {
  // One that is not there yet is added when it is released.
  assert.deepEqual(migrations.slice(0, released.length).map(digest), released);
});

async function inFolder(work: (path: string, root: string) => Promise<void>): Promise<void> {
  const root = mkdtempSync(join(tmpdir(), "howdah-migrations-"));
  try {
    await work(join(root, "howdah.db"), root);
  } finally {
    rmSync(root, { recursive: true });
  }
}

type Row = Record<string, unknown>;
const rowsEach = 3;

/** A store as version `version` left it, with rows in each of its tables, which fit one another. */
function storeOf(path: string, version: number, many = rowsEach): DatabaseSync {
  const old = new DatabaseSync(path);
  old.exec("PRAGMA journal_mode=WAL; PRAGMA foreign_keys=ON; BEGIN");
  for (const migration of migrations.slice(0, version)) old.exec(migration);
  old.exec(`PRAGMA user_version=${version}; COMMIT; BEGIN`);
  for (const table of tablesOf(old)) {
    const references = new Map(
      old
        .prepare(`PRAGMA foreign_key_list(${table})`)
        .all()
        .map((key) => [String(key["from"]), `${String(key["table"])}.${String(key["to"])}`]),
    );
    const columns = old
      .prepare(`PRAGMA table_xinfo(${table})`)
      .all()
      .filter((column) => column["hidden"] === 0);
    const names = columns.map((column) => String(column["name"]));
    const insert = old.prepare(`INSERT INTO ${table} (${names.join()}) VALUES (${names.map(() => "?").join()})`);
    for (let n = 1; n <= many; n++)
      insert.run(
        ...columns.map(({ name, type }) => {
          if (type === "INTEGER") return n;
          // There was one account at first, whose key was no cluster's.
          if (name === "account_id") return "000000000001";
          if (table === "access_keys" && name === "cluster_id" && n === 1) return null;
          // Text that is JSON, too, with what migrations cannot do without.
          const of = references.get(String(name)) ?? `${table}.${String(name)}`;
          return JSON.stringify({ of, n, keepAliveWhenNoSteps: true, stepConcurrencyLevel: n });
        }),
      );
  }
  old.exec("COMMIT");
  return old;
}

const tablesOf = (database: DatabaseSync): string[] =>
  database
    .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY rowid")
    .all()
    .map(({ name }) => String(name));

const schemaOf = (path: string): unknown => {
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    return [
      database.prepare("PRAGMA user_version").get(),
      database.prepare("SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY name").all(),
    ];
  } finally {
    database.close();
  }
};

const newest = migrations.length;

test("a store of any version is brought to the newest: the schema of a new one, and every row as it was", async () => {
  for (let version = 1; version < newest; version++)
    await inFolder(async (path, root) => {
      const old = storeOf(path, version);
      const before = new Map(
        tablesOf(old).map((table) => [table, old.prepare(`SELECT * FROM ${table} ORDER BY 1`).all() as Row[]] as const),
      );
      old.close();
      await (await openStore(path)).close();
      const fresh = join(root, "fresh.db");
      await (await openStore(fresh)).close();
      assert.deepEqual(schemaOf(path), schemaOf(fresh));

      const now = new DatabaseSync(path);
      assert.deepEqual(
        now
          .prepare("PRAGMA integrity_check")
          .all()
          .map((row) => row["integrity_check"]),
        ["ok"],
      );
      assert.deepEqual(now.prepare("PRAGMA foreign_key_check").all(), []);
      for (const [table, rows] of before) {
        const columns = new Set(
          now
            .prepare(`PRAGMA table_xinfo(${table})`)
            .all()
            .map(({ name }) => String(name)),
        );
        const kept = Object.keys(rows[0]!).filter((name) => columns.has(name));
        // The owner of a key was written in words before there were users; a cluster's outcome was made of other columns.
        assert.deepEqual(
          Object.keys(rows[0]!).filter((name) => !columns.has(name)),
          version < 4 && table === "access_keys" ? ["principal_arn"] : "outcome" in rows[0]! ? ["outcome"] : [],
        );
        const after = now.prepare(`SELECT ${kept.join()} FROM ${table} ORDER BY 1`).all();
        assert.deepEqual(
          after,
          rows.map((row) => Object.assign(Object.create(null), Object.fromEntries(kept.map((name) => [name, row[name]])))),
          `${table} of ${version}`,
        );
      }
      now.close();
    });
});

test("kill -9 while a store is brought forward leaves it as one of the versions, and the next start goes on", async () => {
  const schemas: unknown[] = [];
  for (let version = 0; version <= newest; version++)
    await inFolder(async (path) => {
      storeOf(path, version, 0).close();
      schemas[version] = schemaOf(path);
    });
  const met = new Set<number>();
  /** false where it was done before it came to that statement. */
  const killedAt = async (statement: number): Promise<boolean> => {
    let killed = false;
    await inFolder(async (path) => {
      storeOf(path, 1).close();
      const program = join(import.meta.dirname, "store-migrator.ts");
      const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", program, path, `${statement}`], { stdio: "inherit" });
      const [, signal] = await once(child, "exit");
      killed = signal === "SIGKILL";
      const left = schemaOf(path) as [{ user_version: number }];
      const version = left[0].user_version;
      assert.deepEqual(left, schemas[version]);
      met.add(version);
      await (await openStore(path)).close();
      assert.deepEqual(schemaOf(path), schemas[newest]);
      const now = new DatabaseSync(path);
      assert.deepEqual({ ...now.prepare("SELECT count(*) AS n FROM clusters").get() }, { n: rowsEach });
      now.close();
    });
    return killed;
  };
  let statement = 12;
  while (await killedAt(statement)) statement += 23;
  assert.ok(met.size > 3, `killed at ${[...met].join()}`);
});

test("a store of a newer version is refused, named, and left as it is", async () => {
  await inFolder(async (path) => {
    await (await openStore(path)).close();
    const newer = new DatabaseSync(path);
    newer.exec(`PRAGMA user_version=${newest + 1}`);
    newer.close();
    const before = schemaOf(path);
    await assert.rejects(openStore(path), (error: Error) => {
      assert.ok(error.message.startsWith(`${path} was written by a newer Howdah (its schema is ${newest + 1}, this one knows ${newest})`));
      assert.match(error.message, /use that version, a backup of before .*, or another --data folder/);
      return true;
    });
    assert.deepEqual(schemaOf(path), before);
  });
});

test("a command of a newer version does not change the store under an older control plane", async () => {
  await inFolder(async (path, root) => {
    storeOf(path, newest - 1, 0).close();
    const before = schemaOf(path);
    await assert.rejects(
      withStore(dataFolder(root), async () => {}),
      /is of an older Howdah, which may still run.*howdah down --keep, then howdah up/,
    );
    assert.deepEqual(schemaOf(path), before);
  });
});
