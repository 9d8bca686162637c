/**
 * Makes the folders that EMR has in HDFS from the start. The master's agent runs it until it ends with 0; what is there already stays.
 *
 * Usage: node hdfs-folders.ts http://MASTER:9870
 */
interface Folder {
  path: string;
  owner: string;
  permission: string;
}

const folders: Folder[] = [
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

const base = process.argv[2];
if (!base) throw new Error("usage: hdfs-folders.ts http://MASTER:9870");

async function call(method: "GET" | "PUT", path: string, query: Record<string, string>): Promise<Response> {
  const url = `${base}/webhdfs/v1${path}?${new URLSearchParams({ "user.name": "hadoop", ...query })}`;
  return await fetch(url, { method, signal: AbortSignal.timeout(10_000) });
}

async function must(answer: Promise<Response>): Promise<void> {
  const response = await answer;
  if (!response.ok) throw new Error(`HDFS answered ${response.status} to ${response.url}: ${await response.text()}`);
}

for (const { path, owner, permission } of folders) {
  const status = await call("GET", path, { op: "GETFILESTATUS" });
  if (status.status === 200) continue;
  await must(call("PUT", path, { op: "MKDIRS", permission }));
  await must(call("PUT", path, { op: "SETOWNER", owner, group: "hadoop" }));
}
