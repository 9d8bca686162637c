/** The node's own files over the host's, in degree `view`: written to the upper layers before native/node.sh mounts them. */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { NodeLayout } from "../../agent/layout.ts";
import type { LaunchSpec } from "../provider.ts";

/** Made in the upper layer they belong to the caller, so that the node can write there whoever owns the host's folder of that name. */
const writable = (
  "etc/hadoop/conf etc/spark/conf home/hadoop mnt/var/log mnt/var/lib/info mnt/tmp opt root run/lock srv tmp " +
  "usr/bin usr/lib/hadoop usr/lib/spark usr/local/bin usr/local/lib usr/local/share usr/share var/cache var/lib var/log"
).split(" ");
const worldWritable = ["var/tmp"];

/** EMR's users. All are uid 0 of the node, so that `chown hdfs:hadoop` and `sudo -u hdfs` work; the first name is what `whoami` says. */
const users = ["hadoop", "root", "hdfs", "yarn", "mapred", "spark", "hive"];

/** `sudo` of a node: everything is uid 0 already. A user given by -u becomes Hadoop's user. */
const sudo = `#!/bin/sh
while [ $# -gt 0 ]; do
  case $1 in
  -u) [ "$2" = root ] || export HADOOP_USER_NAME="$2"; shift 2 ;;
  --user=*) [ "\${1#*=}" = root ] || export HADOOP_USER_NAME="\${1#*=}"; shift ;;
  -g | -h | -p | -C | -T) shift 2 ;;
  --) shift; break ;;
  -i | -s | --login | --shell) shift; [ $# -gt 0 ] || exec bash; set -- bash -c "$*" ;;
  -*) shift ;;
  *=*) export "$1"; shift ;;
  *) break ;;
  esac
done
[ $# -gt 0 ] || exit 0
exec "$@"
`;

export async function writeSkeleton(layout: NodeLayout, spec: LaunchSpec): Promise<void> {
  const put = async (path: string, content: string, mode = 0o644) => {
    await mkdir(dirname(join(layout.upper, path)), { recursive: true });
    await writeFile(join(layout.upper, path), content, { mode });
  };
  for (const path of writable) await mkdir(join(layout.upper, path), { recursive: true });
  for (const path of worldWritable) await mkdir(join(layout.upper, path), { recursive: true, mode: 0o1777 });

  const all = [...spec.hosts.filter((host) => host.hostname !== spec.hostname), spec];
  const lines = all.map(({ address, hostname }) => [address, hostname, hostname.split(".")[0]].join(" "));
  await put("etc/hosts", ["127.0.0.1 localhost", "::1 localhost ip6-localhost", ...lines, ""].join("\n"));
  await put("etc/hostname", `${spec.hostname}\n`);
  // The host's is often a link into /run, which the node does not see.
  await put("etc/resolv.conf", await readFile("/etc/resolv.conf", "utf8").catch(() => ""));

  const own = new RegExp(`^(${users.join("|")}):`);
  const rest = async (file: string) => (await readFile(file, "utf8").catch(() => "")).split("\n").filter((line) => line && !own.test(line));
  const passwd = users.map((user) => `${user}:x:0:0::/home/hadoop:/bin/bash`);
  await put("etc/passwd", [...passwd, ...(await rest("/etc/passwd")), ""].join("\n"));
  await put("etc/group", [...users.map((user) => `${user}:x:0:`), ...(await rest("/etc/group")), ""].join("\n"));
  await put("usr/bin/sudo", sudo, 0o755);
}
