/**
 * Makes the folders that EMR has in HDFS from the start. The master's agent runs it until it ends with 0; what it has made stays as users change it.
 *
 * Usage: node hdfs-folders.ts http://MASTER:9870 [PATH=OWNER:MODE …]    (others than those below, parents first)
 */
interface Folder {
  path: string;
  owner: string;
  permission: string;
}

const emrFolders: Folder[] = [
  { path: "/tmp", owner: "hadoop", permission: "1777" },
  { path: "/tmp/hadoop-yarn", owner: "hadoop", permission: "777" },
  { path: "/tmp/hadoop-yarn/staging", owner: "hadoop", permission: "1777" },
  { path: "/tmp/hadoop-yarn/staging/history", owner: "hadoop", permission: "1777" },
  { path: "/user", owner: "hadoop", permission: "755" },
  { path: "/user/hadoop", owner: "hadoop", permission: "755" },
  { path: "/user/history", owner: "mapred", permission: "1777" },
  { path: "/user/spark", owner: "spark", permission: "755" },
  { path: "/user/spark/warehouse", owner: "spark", permission: "1777" },
  { path: "/var", owner: "hadoop", permission: "755" },
  { path: "/var/log", owner: "hadoop", permission: "755" },
  { path: "/var/log/hadoop-yarn", owner: "yarn", permission: "755" },
  { path: "/var/log/hadoop-yarn/apps", owner: "yarn", permission: "1777" },
  { path: "/var/log/spark", owner: "spark", permission: "755" },
  { path: "/var/log/spark/apps", owner: "spark", permission: "1777" },
];

const group = "hadoop";

const [base, ...others] = process.argv.slice(2);
if (!base) throw new Error("usage: hdfs-folders.ts http://MASTER:9870 [PATH=OWNER:MODE …]");

function folderOf(text: string): Folder {
  const [, path, owner, permission] = /^(\/[^=]*)=([^:]+):([0-7]+)$/.exec(text) ?? [];
  if (!path || !owner || !permission) throw new Error(`${text} is not PATH=OWNER:MODE`);
  return { path, owner, permission };
}

async function call(method: "GET" | "PUT", path: string, query: Record<string, string>): Promise<Response> {
  const url = `${base}/webhdfs/v1${path}?${new URLSearchParams({ "user.name": "hadoop", ...query })}`;
  return await fetch(url, { method, signal: AbortSignal.timeout(10_000) });
}

async function must(answer: Promise<Response>): Promise<void> {
  const response = await answer;
  if (!response.ok) throw new Error(`HDFS answered ${response.status} to ${response.url}: ${await response.text()}`);
}

/** The group is the mark of a folder that was made here to the end: one that a daemon was faster to make is that daemon's in group and modes. */
async function isDone(path: string): Promise<boolean> {
  const status = await call("GET", path, { op: "GETFILESTATUS" });
  if (!status.ok) return false;
  const { FileStatus } = (await status.json()) as { FileStatus: { group: string } };
  return FileStatus.group === group;
}

for (const { path, owner, permission } of others.length > 0 ? others.map(folderOf) : emrFolders) {
  if (await isDone(path)) continue;
  await must(call("PUT", path, { op: "MKDIRS", permission }));
  await must(call("PUT", path, { op: "SETPERMISSION", permission }));
  await must(call("PUT", path, { op: "SETOWNER", owner, group }));
}
