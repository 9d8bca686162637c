/** What set-up has put on this machine for a release, by absolute path. Made by setup.ts, only read by the control plane. */
export interface Installation {
  releaseLabel: string;
  javaHome: string;
  /** JAVA_HOME of nodes: the same JDK, with a `java` that lets Spark's and YARN's JVMs use the class archives. */
  nodeJavaHome: string;
  /** python3 of the venv in `toolsBin`: jobs, bootstrap actions and `pip3` of a node all mean this one, as on EMR. */
  python: string;
  /** bin folder of a venv of the machine's Python, with the aws CLI and boto3. */
  toolsBin: string;
  hadoop: { home: string; version: string; classPath: string[]; archive: string | undefined; nameTemplate: string };
  spark: { home: string; version: string; classPath: string[]; archive: string | undefined };
  s3proxy: { jar: string };
  native: { init: string; preload: string };
}
