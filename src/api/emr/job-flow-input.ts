/** Parts of RunJobFlow's input as the cluster keeps them. Each function throws ValidationException, naming the member, for what EMR would refuse. */
import type { Application, BootstrapActionConfig, Configuration as WireConfiguration } from "@aws-sdk/client-emr";
import { validationException } from "../../aws/errors.ts";
import { checkConfigurations, checkTogether, mergeConfigurations } from "../../engines/configurations.ts";
import type { Configuration } from "../../engines/engine.ts";
import { readGlue } from "../../engines/glue/settings.ts";
import { applicationsOf, type Release } from "../../releases/release.ts";
import type { ClusterSpec } from "../../store/clusters.ts";
import type { Settings } from "./instance-groups-input.ts";

const mostBootstrapActions = 16;

/** Characters that Cluster$Name of the API reference forbids. */
export function readName(name = ""): string {
  if (/[<>$|`]/.test(name)) throw validationException(`Name: '${name}' must not contain any of < > $ | and \`.`);
  return name;
}

export const hasOthersOnly = (asked: readonly Application[]): boolean =>
  asked.length > 0 && !asked.some(({ Name }) => Name?.toLowerCase() === "hadoop");

/**
 * Hadoop is on every cluster, as in EMR; names are matched without regard to case. Args and AdditionalInfo are for third parties only. One that is
 * not there is refused, or left out with a warning where the operator chose so.
 */
export function readApplications(
  asked: readonly Application[],
  release: Release,
  missing: "refuse" | "warn",
  warnings: string[],
): ClusterSpec["applications"] {
  const known = new Map(
    Object.entries(applicationsOf(release)).map(([name, version]) => [name.toLowerCase(), { Name: name, Version: version }]),
  );
  const found = new Map([["hadoop", known.get("hadoop") ?? { Name: "Hadoop", Version: release.hadoop.version }]]);
  const isAsked = (name: string) => asked.some(({ Name }) => Name?.toLowerCase() === name);
  if (isAsked("presto") && isAsked("trino"))
    throw validationException("Applications: Presto and Trino cannot be on one cluster, as on EMR. Ask for Trino alone.");
  for (const [index, { Name, Args, AdditionalInfo }] of asked.entries()) {
    if (!Name) throw validationException(`Applications[${index}].Name is required.`);
    const application = known.get(Name.toLowerCase());
    if (!application) {
      const has = `${Name} is not in Howdah's ${release.label}. It has: ${Object.keys(applicationsOf(release)).join(", ")}.`;
      if (missing === "refuse")
        throw validationException(
          `Applications: ${has} To have clusters without it, set {"releases": {"missingApplications": "warn"}} in howdah.json.`,
        );
      warnings.push(`Applications: ${has} THE CLUSTER IS WITHOUT IT, because howdah.json says releases.missingApplications`);
      continue;
    }
    if (Args?.length || (AdditionalInfo && Object.keys(AdditionalInfo).length > 0))
      throw validationException(
        `Applications: Args and AdditionalInfo are only for third-party applications, and ${Name} is none. Use Configurations.`,
      );
    found.set(application.Name.toLowerCase(), application);
  }
  return [...found.values()];
}

export function readConfigurations(
  wire: readonly WireConfiguration[] | undefined,
  at: string,
  applications: ClusterSpec["applications"],
  warnings: string[],
): Configuration[] {
  const configurations = (wire ?? []).map(normalise);
  const checked = checkConfigurations(
    configurations,
    applications.map(({ Name }) => Name),
  );
  if (checked.errors.length > 0) throw validationException(`${at}: ${checked.errors.join("; ")}`);
  warnings.push(...checked.warnings);
  return configurations;
}

/** Of nodes that come to a cluster later. */
export function readAddedConfigurations(
  settings: readonly Settings[],
  { applications, configurations }: ClusterSpec,
  warnings: string[],
): Configuration[][] {
  const names = applications.map(({ Name }) => Name);
  return settings.map(({ wire, at }) => {
    const own = readConfigurations(wire, at, applications, warnings);
    warnings.push(...checkTogether(mergeConfigurations(configurations, own), names));
    return own;
  });
}

/** Whether the cluster uses its account's catalog. `configurations`: the cluster's, and those with each group's over them. */
export function readCatalog(
  configurations: readonly (readonly Configuration[])[],
  release: Release,
  applications: readonly string[],
  { accountId }: { accountId: string },
): true | undefined {
  const found = configurations.map((one) => readGlue(one, applications, accountId));
  const errors = new Set(found.flatMap(({ errors }) => errors));
  if (errors.size > 0) throw validationException(`Configurations: ${[...errors].join("; ")}`);
  if (!found.some(({ isChosen }) => isChosen)) return undefined;
  if (!release.engines.Hive)
    throw validationException(
      `Configurations: the Glue catalog is reached by Hive's metastore, which Howdah's ${release.label} does not have.`,
    );
  return true;
}

const normalise = (wire: WireConfiguration): Configuration => ({
  Classification: wire.Classification ?? "",
  Properties: wire.Properties ?? {},
  Configurations: (wire.Configurations ?? []).map(normalise),
});

/** s3n:// and s3a:// are EMR's older spellings of s3://. Ends with a slash. */
export function readLogUri(uri: string | undefined): string | null {
  if (uri === undefined || uri === "") return null;
  const match = /^s3[an]?:\/\/([^/]+)\/?(.*)$/.exec(uri);
  if (!match) throw validationException(`LogUri: '${uri}' is not an S3 location. It must look like s3://bucket/prefix/.`);
  const [, bucket, prefix = ""] = match;
  return `s3://${bucket}/${prefix === "" || prefix.endsWith("/") ? prefix : `${prefix}/`}`;
}

export function readBootstrapActions(actions: readonly BootstrapActionConfig[]): ClusterSpec["bootstrapActions"] {
  if (actions.length > mostBootstrapActions)
    throw validationException(`BootstrapActions: at most ${mostBootstrapActions}, not ${actions.length}.`);
  return actions.map(({ Name, ScriptBootstrapAction }, index) => {
    const path = ScriptBootstrapAction?.Path ?? "";
    if (!/^(s3[an]?:\/\/[^/]+\/.+|file:\/\/\/.+|\/.+)$/.test(path))
      throw validationException(
        `BootstrapActions[${index}].ScriptBootstrapAction.Path: '${path}' must be s3://bucket/key or file:///path.`,
      );
    return { name: Name ?? "", path: path.replace(/^s3[an]:/, "s3:"), args: ScriptBootstrapAction?.Args ?? [] };
  });
}
