import type { EngineHome } from "./engine-setup.ts";

/** What set-up has put on this machine for a release, by absolute path. Made by setup.ts, only read by the control plane. */
export interface Installation {
  releaseLabel: string;
  javaHome: string;
  /** JAVA_HOME of nodes: the same JDK, with a `java` that lets Spark's and YARN's JVMs use the class archives. */
  nodeJavaHome: string;
  /** python3 of the venv in `toolsBin`. */
  python: string;
  /** bin folder of a venv of the machine's Python, with the aws CLI and boto3. */
  toolsBin: string;
  /**
   * What a node's own Python environment is made of: the machine's Python (its folder, the program that `python3` in it leads to, 3.11.7), the
   * packages of the venv above, and the program behind the machine's /usr/bin/python3, where that is a link (/usr/bin/python3.11).
   */
  pythonBase: { home: string; program: string; version: string; packages: string; system?: string };
  hadoop: EngineHome & { nameTemplate: string };
  /** `python`: names of archives in python/lib of its home. */
  spark: EngineHome & { python: string[] };
  /** Of the cluster's other engines, by name. */
  engines: Record<string, EngineHome>;
  /** EMR's s3-dist-cp, Howdah's own. */
  s3DistCp: { jar: string };
  /** What S3A has its credentials from on clusters with role mappings. */
  emrfs: { jar: string };
  s3proxy: { jar: string };
  native: { init: string; preload: string };
}
