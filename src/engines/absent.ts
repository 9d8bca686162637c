/** Steps of applications that no release here has yet, known by EMR's own launchers for them (the aws CLI's step type PIG). */

const launchers: Record<string, string> = { "pig-script": "Pig" };
/** Before emr-4.0 the launchers lay in EMR's bucket, and script-runner.jar ran them. */
const inBucket = /^s3[an]?:\/\/(?:[a-z0-9-]+\.)?elasticmapreduce\/libs\/pig\/(pig-script)$/;

/** What is wrong with such a step; undefined for all others. A command of the user's own, even one named `hive`, is none. */
export function absentApplication({ args: [command = ""] }: { args: readonly string[] }): string | undefined {
  const launcher = inBucket.exec(command)?.[1] ?? command;
  const application = Object.hasOwn(launchers, launcher) ? launchers[launcher] : undefined;
  return application && `${launcher} needs ${application}, which is not in Howdah yet`;
}
