/** Where Howdah keeps things: one data folder per installation, one cache of engines per user. */
import { homedir } from "node:os";
import { join, resolve } from "node:path";

/** `root` comes from --data, HOWDAH_DATA, or XDG's state folder. */
export function dataFolder(option?: string) {
  const root = resolve(
    // A variable that is set to nothing says nothing.
    option ?? (process.env.HOWDAH_DATA || join(process.env.XDG_STATE_HOME || join(homedir(), ".local", "state"), "howdah")),
  );
  return {
    root,
    database: join(root, "howdah.db"),
    /** Of every API call: src/observe/audit.ts. */
    audit: join(root, "audit.db"),
    /** Of S3's objects, for trails that ask. */
    dataEvents: join(root, "audit-s3.db"),
    config: join(root, "howdah.json"),
    /** Records of the control plane and of s3proxy (KnownProcess). */
    run: join(root, "run"),
    /** The one folder that nodes see: `endpoint` holds http://127.0.0.1:PORT of the control plane that runs now. */
    link: join(root, "link"),
    endpoint: join(root, "link", "endpoint"),
    logs: join(root, "logs"),
    nodes: join(root, "nodes"),
    /** What its nodes are made by, `local` or `simulated`: for good. */
    provider: join(root, "provider"),
    /** Simulated nodes: src/providers/simulated/shelf.ts. */
    simulated: join(root, "simulated.db"),
    s3: join(root, "s3"),
    /** Metastores of accounts: a folder each. */
    glue: join(root, "glue"),
    node: (instanceId: string) => join(root, "nodes", instanceId),
  };
}

export type DataFolder = ReturnType<typeof dataFolder>;

/** Engines, archives and tools, shared by all data folders of the user. HOWDAH_CACHE overrides. */
export function cacheFolder(): string {
  return resolve(process.env.HOWDAH_CACHE ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "howdah"));
}

/** Set in the environment of every process that a data folder's control plane starts: `howdah down` finds orphans by it. */
export const ownerVariable = "HOWDAH_OWNER";
/** Set in the environment of every process of a node, to its instance id. */
export const nodeVariable = "HOWDAH_NODE";
