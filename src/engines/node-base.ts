/** What a script finds on any node, before a bootstrap action runs: the node's Python, commands in /usr/bin, and EMR's folders for data and logs. */
import { basename, join } from "node:path";
import type { BaseFile } from "../agent/manifest.ts";
import { quote } from "../agent/text.ts";
import type { NodeFacts } from "./engine.ts";

export const link = (path: string, linkTo: string): BaseFile => ({ path, linkTo, view: true });

/**
 * A command of /usr/bin, where EMR's nodes have it: for scripts that name it in full or start without the node's environment.
 */
export function command(facts: NodeFacts, name: string, program: string): BaseFile {
  return {
    path: `/usr/bin/${name}`,
    mode: 0o755,
    view: true,
    content: `#!/bin/sh\n. ${quote(facts.layout.profile)}\nexec ${quote(program)} "$@"\n`,
  };
}

/** bin folder of the node's own Python environment, the first of PATH: `python3`, `pip3` and what pip brings. */
export const pythonBin = ({ layout }: Pick<NodeFacts, "layout">) => join(layout.python, "bin");

/** NODE/python/bin/python3.11 */
const pythonOf = ({ layout, installation }: NodeFacts) =>
  join(layout.python, "bin", `python${installation.pythonBase.version.split(".").slice(0, 2).join(".")}`);

/**
 * A Python environment of the node's own over the shared one (which nothing may change: other clusters use it too). `pip install` brings packages
 * into it, `--user` into the home folder; both see boto3 of the shared one, and jobs of the node see all. PYSPARK_PYTHON is `python3` by PATH,
 * because each node's is in its own folder.
 */
function python(facts: NodeFacts): BaseFile[] {
  const { layout, installation } = facts;
  const { home, program, version, packages } = installation.pythonBase;
  const at = layout.python;
  const python = pythonOf(facts);
  const run = (words: string) => `#!/bin/sh\nexec ${quote(python)} ${words}"$@"\n`;
  const script = (name: string, words = ""): BaseFile => ({ path: join(at, "bin", name), mode: 0o755, content: run(words) });
  return [
    { path: join(at, "pyvenv.cfg"), content: `home = ${home}\ninclude-system-site-packages = true\nversion = ${version}\n` },
    { path: join(at, "lib", basename(python), "site-packages", "howdah.pth"), content: `${packages}\n` },
    { path: python, linkTo: program },
    // By scripts: Python takes the name that it is called by for the one of the machine's Python, whose /usr/bin/python3 is another one here.
    script("python3"),
    script("python"),
    ...["pip", "pip3"].map((name) => script(name, "-m pip ")),
  ];
}

/** /usr/bin/python3 means the node's Python, as on EMR. Maintainer scripts of packages and the host's own tools need the host's. */
function systemPython(facts: NodeFacts): BaseFile[] {
  const { system } = facts.installation.pythonBase;
  const lines = [
    "#!/bin/sh",
    ...(system ? [`[ -z "$DPKG_MAINTSCRIPT_NAME$HOWDAH_SYSTEM_PYTHON" ] || exec ${quote(system)} "$@"`] : []),
    `exec ${quote(pythonOf(facts))} "$@"`,
  ];
  return ["python3", "python"].map((name) => ({ path: `/usr/bin/${name}`, mode: 0o755, view: true, content: `${lines.join("\n")}\n` }));
}

export function nodeBase(facts: NodeFacts): BaseFile[] {
  const { layout, installation } = facts;
  const java = installation.nodeJavaHome;
  return [
    ...python(facts),
    ...systemPython(facts),
    ...["pip", "pip3"].map((name) => command(facts, name, join(layout.python, "bin", name))),
    command(facts, "aws", join(installation.toolsBin, "aws")),
    ...["java", "javac", "jar", "jps"].map((name) => link(`/usr/bin/${name}`, join(java, "bin", name))),
    // Names that configurations give as JAVA_HOME; EMR 7 has Corretto 17.
    ...["jre-17", "java-17-amazon-corretto", "java-17-amazon-corretto.x86_64", "java-17-amazon-corretto.aarch64"].map((name) =>
      link(`/usr/lib/jvm/${name}`, java),
    ),
    link("/mnt/hdfs", join(layout.data, "hdfs")),
    link("/mnt/yarn", join(layout.data, "yarn")),
    ...facts.volumes.slice(1).map(({ folder }, index) => link(`/mnt${index + 1}`, folder)),
    link("/mnt/var/log/hadoop/steps", "../steps"),
    link("/emr/instance-controller/log", "/mnt/var/log/instance-controller"),
    link("/mnt/var/log/instance-controller/howdah-agent.log", "../howdah-agent.log"),
    link("/emr/instance-controller/lib/info", "/mnt/var/lib/info"),
    link("/emr/instance-controller/lib/bootstrap-actions", join(layout.root, "bootstrap-actions")),
    link("/mnt/var/lib/instance-controller/extraInstanceData.json", "/mnt/var/lib/info/extraInstanceData.json"),
  ];
}

/** /var/log/NAME, where EMR's own links to /mnt/var/log/NAME are. */
export const logLinks = (...folders: string[]): BaseFile[] =>
  folders.map((folder) => link(`/var/log/${basename(folder)}`, `/mnt/var/log/${basename(folder)}`));
