/** What a step runs: EMR's command-runner.jar and script-runner.jar, JARs that stand for a command of the node, and JARs of one's own. */
import { basename, join } from "node:path";
import type { StepOrder } from "../agent/manifest.ts";
import type { NodeFacts } from "./engine.ts";
import { ports } from "./hadoop/ports.ts";

export interface StepToRun {
  id: string;
  name: string;
  jar: string;
  mainClass?: string;
  args: string[];
  properties: Record<string, string>;
  /** It has a role of its own, whose credentials the node gives to what it starts. */
  hasRole?: boolean;
}

/** The id of the step whose runtime role's credentials a process has. */
export const roleVariable = "HOWDAH_STEP_ROLE";

/** EMR's bucket, in general and of a region. */
const emrBucket = String.raw`s3[an]?://([a-z0-9-]+\.)?elasticmapreduce`;
/** In S3, and on a node's disk. */
const scriptRunner = new RegExp(
  `^(${emrBucket}/libs/script-runner/script-runner\\.jar|` +
    "(file:(//)?)?/(usr/share|var/lib)/aws/emr/(scripts-runner|script-runner|scripts)/(lib/)?scripts?-runner\\.jar|script-runner\\.jar)$",
);
const commandRunner = /^((file:(\/\/)?)?\/.*\/)?command-runner\.jar$/;

/** JARs of EMR's nodes, in all spellings since its first releases, and the command that each is here. */
const commandJars: [jar: RegExp, command: string][] = [
  [/^(file:(\/\/)?)?\/usr\/share\/aws\/emr\/s3-dist-cp\/lib\/s3-dist-cp[\w.-]*\.jar$/, "s3-dist-cp"],
  [/^(file:(\/\/)?)?\/home\/hadoop\/lib\/emr-s3distcp-[\w.]+\.jar$/, "s3-dist-cp"],
  [new RegExp(`^${emrBucket}/libs/s3distcp/[^/]+/s3distcp\\.jar$`), "s3-dist-cp"],
  [/^(file:(\/\/)?)?\/home\/hadoop\/contrib\/streaming\/hadoop-streaming[\w.-]*\.jar$/, "hadoop-streaming"],
  [/^(file:(\/\/)?)?\/usr\/lib\/hadoop(-mapreduce)?\/hadoop-streaming[\w.-]*\.jar$/, "hadoop-streaming"],
  [/^(file:(\/\/)?)?\/usr\/lib\/hadoop-mapreduce\/hadoop-mapreduce-examples[\w.-]*\.jar$/, "hadoop-mapreduce-examples"],
];

/** The step that the aws CLI adds for --enable-debugging, by its command and by the script of older releases. */
const statePusher = "state-pusher-script";
const statePusherScript = "s3://elasticmapreduce/libs/state-pusher/0.1/fetch";
const statePusherUri = new RegExp(`^${emrBucket}/libs/state-pusher/[^/]+/fetch$`);

/** EMR's launcher of Hive's scripts, where it lay before emr-4.0; since then it is a command of the nodes. */
const hiveScript = new RegExp(`^${emrBucket}/libs/hive/hive-script$`);

/** The jar of Spark's Scala examples, which no registry has, since EMR's first releases with Spark. */
const sparkExamples = /^((file|local):(\/\/)?)?\/usr\/lib\/spark\/(examples\/jars|lib)\/spark-examples[\w.-]*\.jar$/;
const examplesPackage = "org.apache.spark.examples.";

/** AWS's first Spark step, `spark-submit --class org.apache.spark.examples.SparkPi …/spark-examples.jar 10`, as the example in Python that spark-example runs; undefined for all else. */
function exampleOf([command, ...args]: string[]): string[] | undefined {
  const [jarAt, classAt] = [args.findIndex((one) => sparkExamples.test(one)), args.indexOf("--class")];
  const name = args[classAt + 1] ?? "";
  if (command !== "spark-submit" || classAt < 0 || classAt > jarAt || args[jarAt - 1] === "--jars" || !name.startsWith(examplesPackage))
    return undefined;
  return ["spark-example", ...args.slice(0, classAt), ...args.slice(classAt + 2, jarAt), name, ...args.slice(jarAt + 1)];
}

const isCommand = ({ jar }: StepToRun) => commandRunner.test(jar);
const isScript = (step: StepToRun) => scriptRunner.test(step.jar) || (isCommand(step) && step.args[0] === statePusher);
const commandOf = ({ jar, mainClass }: StepToRun) => (mainClass ? undefined : commandJars.find(([name]) => name.test(jar))?.[1]);
/** Of script-runner, the script's location first. */
const scriptArgs = (step: StepToRun) => (isCommand(step) ? [statePusherScript, ...step.args.slice(1)] : step.args);

const onS3 = (uri: string) => /^s3[an]?:\/\/[^/]+\/.+/.test(uri);
const onDisk = (uri: string) => /^(file:(\/\/)?)?\/./.test(uri);
const onWeb = (uri: string) => /^https?:\/\/[^/]+\/./.test(uri) && URL.canParse(uri);
const onHdfs = (uri: string) => /^hdfs:(\/\/[^/]*)?\/./.test(uri);

/** What is wrong with a step, for the API's ValidationException; undefined where it can be run. */
export function checkStep(step: StepToRun): string | undefined {
  const [first] = step.args;
  const blank = Object.entries(step.properties).find(([name, value]) => /\s/.test(name + value));
  if (blank) return `Properties: '${blank[0]}' or its value has a blank, which Hadoop's launchers would take for two options`;
  if (isCommand(step)) {
    if (first === undefined || first === "") return "command-runner.jar needs a command in Args, for example spark-submit";
    if (step.mainClass) return "command-runner.jar takes no MainClass";
    return undefined;
  }
  const isOwn = !isScript(step);
  const uri = isOwn ? step.jar : first;
  if (!uri) return isOwn ? "a step needs a Jar" : "script-runner.jar needs the script's location as its first argument";
  if ([onS3, onDisk, onWeb, onHdfs].some((holds) => holds(uri))) return undefined;
  const what = isOwn ? "The Jar" : "The script";
  return `${what} '${uri}' cannot be fetched: it must be s3://BUCKET/KEY, hdfs:///PATH, http(s)://HOST/PATH or an absolute path on the master node`;
}

/** What a user should know of a step that is accepted; undefined where it does what it says. */
export function stepWarning(step: StepToRun): string | undefined {
  if (isCommand(step) && exampleOf(step.args))
    return `the jar of Spark's Scala examples is in no registry: step ${step.name} runs Spark's example of that name in Python`;
  const pushes = isScript(step) && (isCommand(step) || statePusherUri.test(step.args[0] ?? ""));
  if (!pushes) return undefined;
  return "--enable-debugging has no effect: there is no debugging console to send logs to. They are in LogUri, `howdah logs` shows them";
}

/** The order for the master's agent. Throws where checkStep finds something. */
export function stepOrder({ step, facts }: { step: StepToRun; facts: NodeFacts }): StepOrder {
  const problem = checkStep(step);
  if (problem) throw new Error(`step ${step.id}: ${problem}`);
  const base = {
    id: step.id,
    name: step.name,
    env: { ...clientOptions(step.properties), ...(step.hasRole ? roleOptions(step.id) : {}) },
    fetch: [],
    ...(step.hasRole ? { hasRole: true as const } : {}),
  };
  if (isScript(step)) {
    const [script = "", ...args] = scriptArgs(step);
    if (hiveScript.test(script)) return { ...base, argv: ["hive-script", ...args] };
    const { path, fetch } = local(script, step, facts);
    return { ...base, fetch, argv: [path, ...args] };
  }
  if (isCommand(step)) return { ...base, argv: exampleOf(step.args) ?? step.args };
  const command = commandOf(step);
  if (command) return { ...base, argv: [command, ...step.args] };
  const { path, fetch } = local(step.jar, step, facts);
  return { ...base, fetch, argv: ["hadoop", "jar", path, ...(step.mainClass ? [step.mainClass] : []), ...step.args] };
}

/** Path that the node runs, and what is fetched to it first. */
function local(uri: string, step: StepToRun, facts: NodeFacts): { path: string; fetch: StepOrder["fetch"] } {
  if (onDisk(uri)) return { path: uri.replace(/^file:(\/\/)?/, ""), fetch: [] };
  const name = onWeb(uri) ? decodeURIComponent(new URL(uri).pathname) : uri;
  const to = join(facts.layout.steps, step.id, "files", basename(name));
  if (onHdfs(uri)) return { path: to, fetch: [{ uri: webHdfs(uri, facts) ?? uri, to, name: uri }] };
  // The agent fetches s3://, whichever of Hadoop's names for it the user wrote.
  return { path: to, fetch: [{ uri: uri.replace(/^s3[an]:/, "s3:"), to }] };
}

/** HDFS by HTTP: no JVM. Undefined for another cluster's, which only Hadoop's own commands can name. */
function webHdfs(uri: string, { cluster }: NodeFacts): string | undefined {
  const [, host = "", path = ""] = /^hdfs:(?:\/\/([^/:]*)(?::\d+)?)?(\/.*)$/.exec(uri) ?? [];
  const { address, hostname } = cluster.master;
  if (host !== "" && host !== address && host.split(".")[0] !== hostname.split(".")[0]) return undefined;
  const encoded = path.split("/").map(encodeURIComponent).join("/");
  return `http://${address}:${ports.nameNodeWeb}/webhdfs/v1${encoded}?op=OPEN&user.name=hadoop`;
}

/** Carries the step's id into the containers of its applications (hadoop/container-start.sh): of Spark by these, of MapReduce by mapred-site. */
function roleOptions(id: string): Record<string, string> {
  const options = ["appMasterEnv", "executorEnv"].map((of) => `-Dspark.${of === "executorEnv" ? of : `yarn.${of}`}.${roleVariable}=${id}`);
  return { [roleVariable]: id, SPARK_SUBMIT_OPTS: options.join(" ") };
}

/** "Properties … set when the step runs": Java system properties, which Hadoop's launchers take from HADOOP_CLIENT_OPTS. */
function clientOptions(properties: Record<string, string>): Record<string, string> {
  const options = Object.entries(properties).map(([name, value]) => `-D${name}=${value}`);
  return options.length > 0 ? { HADOOP_CLIENT_OPTS: options.join(" ") } : {};
}
