/** Facts of an imagined cluster, for tests of plans. */
import { nodeLayout } from "../../src/agent/layout.ts";
import type { NodeRole } from "../../src/agent/manifest.ts";
import type { Configuration, NodeFacts } from "../../src/engines/engine.ts";
import type { Installation } from "../../src/engines/installation.ts";
import { instanceType } from "../../src/releases/instance-types.ts";

export const installation: Installation = {
  releaseLabel: "emr-7.13.0",
  javaHome: "/jdk",
  nodeJavaHome: "/cache/java",
  python: "/python/bin/python3",
  toolsBin: "/cache/tools/bin",
  pythonBase: {
    home: "/python/bin",
    program: "/python/bin/python3.11",
    version: "3.11.7",
    packages: "/cache/tools/lib/python3.11/site-packages",
    system: "/usr/bin/python3.11",
  },
  hadoop: {
    home: "/cache/hadoop",
    version: "3.4.2",
    classPath: ["/cache/hadoop/lib/a.jar"],
    archive: "/cache/h.jsa",
    nameTemplate: "/cache/name",
  },
  spark: { home: "/cache/spark", version: "3.5.6", classPath: ["/cache/spark/jars/s.jar"], archive: undefined, python: ["pyspark.zip"] },
  engines: {},
  s3DistCp: { jar: "/cache/s3-dist-cp/s3-dist-cp.jar" },
  emrfs: { jar: "/cache/emrfs/emrfs.jar" },
  s3proxy: { jar: "/cache/s3proxy.jar" },
  native: { init: "/cache/init", preload: "/cache/libhowdah.so" },
};

/** Facts of node `index` of a cluster of m5.xlarge with these roles. */
export function factsOf(roles: NodeRole[], index: number, configurations: Configuration[] = [], type = "m5.xlarge"): NodeFacts {
  const nodes = roles.map((role, i) => ({ instanceId: `i-${i}`, role, address: `127.77.9.${i + 1}`, instanceType: instanceType(type)! }));
  const node = nodes[index]!;
  return {
    cluster: {
      id: "j-TEST",
      region: "eu-west-1",
      endpoint: "http://127.0.0.1:5000",
      applications: ["Spark"],
      master: { address: nodes[0]!.address, hostname: "ip-127-77-9-1" },
      nodes,
      leaving: [],
      gone: [],
      excluded: [],
      emptied: [],
      awaited: roles,
    },
    ...node,
    isLeaving: false,
    configurations,
    layout: nodeLayout(`/data/nodes/${node.instanceId}`),
    volumes: ["data", "data1"].map((name) => ({ folder: `/data/nodes/${node.instanceId}/${name}`, reservedBytes: 2 ** 40 })),
    installation,
  };
}

/** Shorthand for a configuration as EMR's API has it. */
export function configuration(name: string, properties: Record<string, string>, nested: Configuration[] = []): Configuration {
  return { Classification: name, Properties: properties, Configurations: nested };
}

/** The same facts where the cluster has this application, too, with these jars in its home. */
export function withEngine(facts: NodeFacts, name: string, jars: readonly string[]): NodeFacts {
  const home = `/cache/${name.toLowerCase()}`;
  const engine = { home, version: "1", classPath: jars.map((jar) => `${home}/lib/${jar}`), archive: undefined };
  return {
    ...facts,
    cluster: { ...facts.cluster, applications: [...facts.cluster.applications, name] },
    installation: { ...facts.installation, engines: { ...facts.installation.engines, [name]: engine } },
  };
}
