/** Hadoop at EMR's paths, for scripts that name them. */
import { basename, join } from "node:path";
import type { BaseFile } from "../../agent/manifest.ts";
import type { NodeFacts } from "../engine.ts";
import { command, link, logLinks } from "../node-base.ts";
import { addedJars, hadoopPlaces } from "./places.ts";

const commands = ["hadoop", "hdfs", "yarn", "mapred", "hadoop-streaming", "hadoop-mapreduce-examples", "s3-dist-cp"];

/** Jars of Hadoop's tools that EMR's scripts name in /usr/lib/hadoop-mapreduce, whatever their name begins with. */
const tools = /^hadoop-(streaming|distcp|archives|extras|gridmix|rumen|datajoin|sls)/;

function folderOf(jar: string): string {
  const part = /^hadoop-(hdfs|yarn|mapreduce)\b/.exec(jar)?.[1] ?? (tools.test(jar) ? "mapreduce" : undefined);
  return part ? `/usr/lib/hadoop-${part}` : "/usr/lib/hadoop";
}

/** Each of Hadoop's own jars by its name and by its name without the version: hadoop-streaming.jar, hadoop-aws.jar. */
function jars({ installation }: NodeFacts): BaseFile[] {
  const { classPath, version } = installation.hadoop;
  const own = classPath.filter((path) => /^hadoop-.*\.jar$/.test(basename(path)));
  return own.flatMap((path) => {
    const name = basename(path);
    const names = new Set([name, name.replace(`-${version}`, "")]);
    return [...names].map((one) => link(join(folderOf(name), one), path));
  });
}

export function hadoopBase(facts: NodeFacts): BaseFile[] {
  const { layout, installation } = facts;
  const { home } = installation.hadoop;
  const at = hadoopPlaces(layout);
  return [
    ...commands.map((name) => command(facts, name, join(home, "bin", name))),
    link("/etc/hadoop/conf", at.conf),
    link("/usr/lib/hadoop/bin", join(home, "bin")),
    link("/usr/lib/hadoop/lib", join(home, "lib")),
    link("/usr/lib/hadoop/etc/hadoop", at.conf),
    ...["hdfs", "yarn", "mapreduce"].map((part) => link(`/usr/lib/hadoop-${part}/bin`, join(home, "bin"))),
    ...jars(facts),
    link("/usr/share/aws/emr/s3-dist-cp/lib/s3-dist-cp.jar", installation.s3DistCp.jar),
    // What a user has put into /usr/lib/hadoop/lib, apart from what was there: one name for all nodes, because a job's class path is made on one.
    link(addedJars, join(layout.engines, basename(home), "lib")),
    ...logLinks(at.hdfsLogs, at.yarnLogs, at.mapredLogs),
    link("/mnt/var/log/hadoop-yarn/containers", "../userlogs"),
  ];
}
