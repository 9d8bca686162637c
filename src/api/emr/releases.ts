/** ListReleaseLabels, DescribeReleaseLabel, ListSupportedInstanceTypes: what this Howdah truly runs. */
import type {
  DescribeReleaseLabelInput,
  ListReleaseLabelsInput,
  ListSupportedInstanceTypesInput,
  SupportedInstanceType,
} from "@aws-sdk/client-emr";
import { validationException } from "../../aws/errors.ts";
import { type InstanceType, instanceType, instanceTypeNames } from "../../releases/instance-types.ts";
import { applicationsOf, findRelease, isReleaseLabel, nearestRelease, type Release, releaseLabels } from "../../releases/release.ts";
import type { EmrContext, EmrRequest } from "./context.ts";
import { openList, pageByName } from "./paging.ts";

const pageSize = 100;

/**
 * The release that runs for a label. Where it is not locked, `substitute` takes the nearest one and says so in `warnings`; else it is refused with
 * the labels that are. Throws ValidationException.
 */
export function readRelease(label: string | undefined, { substitute }: EmrContext["releases"], warnings: string[]): Release {
  const known = `Howdah runs exactly: ${releaseLabels().join(", ")}.`;
  if (label === undefined) throw validationException(`ReleaseLabel is required: Must specify exactly one release label. ${known}`);
  if (!isReleaseLabel(label))
    throw validationException(`The supplied release label is invalid: ${label}. A label looks like ${releaseLabels()[0]}.`);
  const release = findRelease(label);
  if (release) return release;
  if (!substitute)
    throw validationException(
      `The supplied release label is invalid: ${label}. ${known} To run the nearest one for any label, set {"releases": {"substitute": true}} in howdah.json.`,
    );
  const nearest = nearestRelease(label);
  const versions = Object.entries(applicationsOf(nearest)).map(([name, version]) => `${name} ${version}`);
  warnings.push(
    `ReleaseLabel ${label} is not in this Howdah: ${nearest.label} RUNS INSTEAD, with ${versions.join(" and ")}, because howdah.json says releases.substitute. Versions and defaults are other than those of ${label}`,
  );
  return nearest;
}

/** Those that are locked, newest first. A filter by application is `spark` or `spark@3.5.6`, the version being the one that runs. */
export async function ListReleaseLabels(_: EmrContext, input: ListReleaseLabelsInput, request: EmrRequest) {
  const { Prefix = "", Application = "" } = input.Filters ?? {};
  const [name = "", version] = Application.toLowerCase().split("@");
  const has = (label: string) =>
    Object.entries(applicationsOf(findRelease(label)!)).some(
      ([application, runs]) => application.toLowerCase() === name && (version === undefined || version === runs),
    );
  const labels = releaseLabels().filter((label) => label.startsWith(Prefix) && (Application === "" || has(label)));
  const list = openList("ListReleaseLabels", request, { Prefix, Application }, ["string"], input.NextToken, "NextToken");
  const { items, Marker } = pageByName(labels, input.MaxResults ?? pageSize, (label) => label, list);
  return { ReleaseLabels: items, NextToken: Marker };
}

/** AvailableOSReleases is empty: nodes are made of the host's own system, and no Amazon Linux release can be asked for. */
export async function DescribeReleaseLabel({ releases }: EmrContext, input: DescribeReleaseLabelInput, request: EmrRequest) {
  const release = readRelease(input.ReleaseLabel, releases, []);
  const all = Object.entries(applicationsOf(release)).map(([Name, Version]) => ({ Name, Version }));
  const list = openList("DescribeReleaseLabel", request, { label: release.label }, ["string"], input.NextToken, "NextToken");
  const { items, Marker } = pageByName(all, input.MaxResults ?? pageSize, ({ Name }) => Name, list);
  return { ReleaseLabel: release.label, Applications: items, NextToken: Marker, AvailableOSReleases: [] };
}

/** In alphabetical order. Every release here has the same ones. */
export async function ListSupportedInstanceTypes({ releases }: EmrContext, input: ListSupportedInstanceTypesInput, request: EmrRequest) {
  const { label } = readRelease(input.ReleaseLabel, releases, []);
  const list = openList("ListSupportedInstanceTypes", request, { label }, ["string"], input.Marker);
  const { items, Marker } = pageByName(instanceTypeNames(), pageSize, (name) => name, list);
  return { SupportedInstanceTypes: items.map((name) => typeShape(instanceType(name)!)), Marker };
}

const typeShape = (type: InstanceType): SupportedInstanceType => ({
  Type: type.name,
  MemoryGB: Math.round((type.memoryMb / 1024) * 100) / 100,
  StorageGB: type.storageGb,
  VCPU: type.vcpu,
  Is64BitsOnly: type.is64BitsOnly,
  InstanceFamilyId: type.family,
  EbsOptimizedAvailable: type.ebsOptimized,
  EbsOptimizedByDefault: type.ebsOptimizedByDefault,
  NumberOfDisks: type.disks,
  EbsStorageOnly: type.ebsOnly,
  Architecture: type.architecture,
});
