/** Steps of applications that their cluster has not, or that no release here has yet. */
import { quote } from "../agent/text.ts";
import { engines, enginesFor } from "./index.ts";

/** EMR's own launchers, as the aws CLI's step type PIG names them. */
const launchers: Record<string, string> = { "pig-script": "Pig" };
/** Before emr-4.0 the launchers lay in EMR's bucket, and script-runner.jar ran them. */
const inBucket = /^s3[an]?:\/\/(?:[a-z0-9-]+\.)?elasticmapreduce\/libs\/pig\/(pig-script)$/;

/** What is wrong with such a step; undefined for all others. A command of the user's own, even one named `hive`, is none. */
export function absentApplication({ args: [command = ""] }: { args: readonly string[] }): string | undefined {
  const launcher = inBucket.exec(command)?.[1] ?? command;
  const application = Object.hasOwn(launchers, launcher) ? launchers[launcher] : undefined;
  return application && `${launcher} needs ${application}, which is not in Howdah yet`;
}

/**
 * A step's command; or, where it is one of an engine that the cluster has not and nobody else has brought it to the node, a word of that and exit code 127,
 * as a shell has for a command that is not there.
 */
export function orSayWhatIsMissing(argv: string[], applications: readonly string[]): string[] {
  const [command = ""] = argv;
  const engine = engines.find(({ commands }) => commands?.includes(command));
  if (!engine || enginesFor(applications).includes(engine)) return argv;
  const message = `${engine.name} is not on this cluster: ${command} is there where the cluster's Applications name ${engine.name}`;
  return ["/bin/sh", "-c", `command -v "$0" >/dev/null || { echo ${quote(message)} >&2; exit 127; }; exec "$0" "$@"`, ...argv];
}
