/** What a step runs: EMR's command-runner.jar and script-runner.jar, and JARs of one's own. */
import { basename, join } from "node:path";
import type { StepOrder } from "../agent/manifest.ts";
import type { NodeFacts } from "./engine.ts";

export interface StepToRun {
  id: string;
  name: string;
  jar: string;
  mainClass?: string;
  args: string[];
  properties: Record<string, string>;
}

/** On S3 in every region's bucket, and on a node's disk. */
const scriptRunner =
  /^(s3[an]?:\/\/([a-z0-9-]+\.)?elasticmapreduce\/libs\/script-runner\/script-runner\.jar|(file:\/\/)?\/(usr\/share|var\/lib)\/aws\/emr\/(scripts-runner|script-runner|scripts)\/(lib\/)?scripts?-runner\.jar|script-runner\.jar)$/;
const commandRunner = /^((file:\/\/)?\/.*\/)?command-runner\.jar$/;

type Kind = "command" | "script" | "jar";

function kindOf(jar: string): Kind {
  return commandRunner.test(jar) ? "command" : scriptRunner.test(jar) ? "script" : "jar";
}

const onS3 = (uri: string) => /^s3[an]?:\/\/[^/]+\/.+/.test(uri);
const onDisk = (uri: string) => /^(file:\/\/)?\/./.test(uri);
/** The agent fetches s3://, whichever of Hadoop's names for it the user wrote. */
const asS3 = (uri: string) => uri.replace(/^s3[an]:/, "s3:");
const asPath = (uri: string) => uri.replace(/^file:\/\//, "");

/** What is wrong with a step, for the API's ValidationException; undefined where it can be run. */
export function checkStep(step: StepToRun): string | undefined {
  const kind = kindOf(step.jar);
  const [first] = step.args;
  if (kind === "command") {
    if (first === undefined || first === "") return "command-runner.jar needs a command in Args, for example spark-submit";
    if (step.mainClass) return "command-runner.jar takes no MainClass";
    return undefined;
  }
  const uri = kind === "script" ? first : step.jar;
  if (!uri) return kind === "script" ? "script-runner.jar needs the script's location as its first argument" : "a step needs a Jar";
  if (onS3(uri) || onDisk(uri)) return undefined;
  const what = kind === "script" ? "The script" : "The Jar";
  return `${what} '${uri}' cannot be fetched: it must be s3://BUCKET/KEY or an absolute path on the master node`;
}

/** The order for the master's agent. Throws where checkStep finds something. */
export function stepOrder({ step, facts }: { step: StepToRun; facts: NodeFacts }): StepOrder {
  const problem = checkStep(step);
  if (problem) throw new Error(`step ${step.id}: ${problem}`);
  const base = { id: step.id, name: step.name, env: {} };
  const kind = kindOf(step.jar);
  if (kind === "command") return { ...base, fetch: [], argv: step.args, env: clientOptions(step.properties) };
  if (kind === "script") {
    const [script = "", ...args] = step.args;
    const { path, fetch } = local(script, step, facts);
    return { ...base, fetch, argv: [path, ...args], env: clientOptions(step.properties) };
  }
  const { path, fetch } = local(step.jar, step, facts);
  const argv = ["hadoop", "jar", path, ...(step.mainClass ? [step.mainClass] : []), ...step.args];
  return { ...base, fetch, argv, env: clientOptions(step.properties) };
}

/** Path that the node runs, and what is fetched to it first. */
function local(uri: string, step: StepToRun, facts: NodeFacts): { path: string; fetch: StepOrder["fetch"] } {
  if (!onS3(uri)) return { path: asPath(uri), fetch: [] };
  const to = join(facts.layout.steps, step.id, "files", basename(uri));
  return { path: to, fetch: [{ uri: asS3(uri), to }] };
}

/** "Properties … set when the step runs": Java system properties, which Hadoop's launchers take from HADOOP_CLIENT_OPTS. */
function clientOptions(properties: Record<string, string>): Record<string, string> {
  const options = Object.entries(properties).map(([name, value]) => `-D${name}=${value}`);
  return options.length > 0 ? { HADOOP_CLIENT_OPTS: options.join(" ") } : {};
}
