/** The node's own files over the host's, in degree `view`: written to the upper layers before native/view.c mounts them. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { NodeLayout } from "../../agent/layout.ts";
import { domainOf, hostnameOf } from "../../agent/node-record.ts";
import type { LaunchSpec } from "../provider.ts";

/** Made in the upper layer they belong to the caller, so that the node can write there whoever owns the host's folder of that name. */
const writable = (
  "emr etc/hadoop etc/spark etc/profile.d home/hadoop mnt/var/log mnt/var/lib/info mnt/var/lib/instance-controller mnt/tmp mnt/s3 opt root " +
  "run/lock srv tmp usr/bin usr/sbin usr/lib/jvm usr/local/bin usr/local/lib usr/local/share usr/share/aws/emr var/cache var/lib var/log"
).split(" ");
const worldWritable = ["var/tmp"];

/** EMR's users. All are uid 0 of the node, so that `chown hdfs:hadoop` and `sudo -u hdfs` work; the first name is what `whoami` says. */
const users = ["hadoop", "root", "hdfs", "yarn", "mapred", "spark", "hive"];

/** Commands of a node in place of the host's, as scripts in view/: what each does there is said in it. */
const commands = join(import.meta.dirname, "view");

/** Name below the node's root, and the script. */
function commandsFor(isRoot: boolean): [path: string, script: string][] {
  const has = (name: string) => existsSync(`/usr/bin/${name}`);
  const upstart = ["initctl", "start", "stop", "restart", "reload", "status"];
  const managers = ["yum", "dnf"];
  // The files of packages have several owners, and a node of a user without root has one.
  const refused = isRoot ? [] : ["apt", "apt-get", "dpkg", "aptitude", "rpm", ...managers];
  const translated = isRoot && has("apt-get") ? managers.filter((name) => !has(name)) : [];
  return [
    ["usr/bin/sudo", "sudo"],
    ["usr/bin/su", "su"],
    ["usr/sbin/runuser", "su"],
    ["usr/bin/systemctl", "systemctl"],
    ["usr/sbin/service", "service"],
    ...upstart.map((name): [string, string] => [`usr/sbin/${name}`, "upstart"]),
    ...translated.map((name): [string, string] => [`usr/bin/${name}`, "yum"]),
    ...refused.map((name): [string, string] => [`usr/bin/${name}`, "packages-of-the-host"]),
    ...(has("amazon-linux-extras") ? [] : [["usr/bin/amazon-linux-extras", "amazon-linux-extras"] as [string, string]]),
  ];
}

/** Packages must start no service: the node has no systemd. */
const noServices = "#!/bin/sh\nexit 101\n";

export function writeSkeleton(layout: NodeLayout, spec: LaunchSpec): void {
  const put = (path: string, content: string, mode = 0o644) => {
    mkdirSync(dirname(join(layout.upper, path)), { recursive: true });
    writeFileSync(join(layout.upper, path), content, { mode });
  };
  for (const path of writable) mkdirSync(join(layout.upper, path), { recursive: true });
  for (const path of worldWritable) mkdirSync(join(layout.upper, path), { recursive: true, mode: 0o1777 });

  // Every host that the cluster may ever have: one that comes later is known to those that are there.
  const network = spec.address.slice(0, spec.address.lastIndexOf(".") + 1);
  const others = Array.from({ length: 254 }, (_, n) => `${network}${n + 1}`).filter((address) => address !== spec.address);
  const all = [...others.map((address) => ({ address, hostname: hostnameOf(address) })), spec];
  // In full first, for `hostname -f`, as EC2 names its hosts.
  const names = (hostname: string) => [hostname.includes(".") ? hostname : `${hostname}.${domainOf(spec.region)}`, hostname.split(".")[0]];
  const lines = all.map(({ address, hostname }) => [address, ...names(hostname)].join(" "));
  put("etc/hosts", ["127.0.0.1 localhost", "::1 localhost ip6-localhost", ...lines, ""].join("\n"));
  put("etc/hostname", `${spec.hostname}\n`);
  // The host's is often a link into /run, which the node does not see.
  put("etc/resolv.conf", textOf("/etc/resolv.conf"));

  const own = new RegExp(`^(${users.join("|")}):`);
  const rest = (file: string) =>
    textOf(file)
      .split("\n")
      .filter((line) => line && !own.test(line));
  const passwd = users.map((user) => `${user}:x:0:0::/home/hadoop:/bin/bash`);
  put("etc/passwd", [...passwd, ...rest("/etc/passwd"), ""].join("\n"));
  put("etc/group", [...users.map((user) => `${user}:x:0:`), "hdfsadmingroup:x:0:hdfs,hadoop", ...rest("/etc/group"), ""].join("\n"));
  for (const [path, script] of commandsFor(process.getuid?.() === 0)) {
    put(path, readFileSync(join(commands, script), "utf8").replace("@RUN@", `'${layout.run}'`), 0o755);
  }
  put("usr/sbin/policy-rc.d", noServices, 0o755);
  // Login shells have the environment of everything else on the node.
  put("etc/profile.d/howdah.sh", `[ ! -r '${layout.profile}' ] || . '${layout.profile}'\n`);
  const bashProfile = join(layout.home, ".bash_profile");
  if (!existsSync(bashProfile)) writeFileSync(bashProfile, "[ ! -f ~/.bashrc ] || . ~/.bashrc\n");
}

function textOf(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
