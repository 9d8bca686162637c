/**
 * Role mappings of EMRFS: which role a request takes, by its user, a group of the user, or the place in S3. They are tried in their order, and the first
 * that fits counts. Source: EMR Management Guide, "Configure IAM roles for EMRFS requests to Amazon S3".
 */

export interface RoleMapping {
  /** The ARN of the role that is taken. */
  role: string;
  type: "User" | "Group" | "Prefix";
  /** Of Hadoop users, of Hadoop groups, or s3://BUCKET and s3://BUCKET/PREFIX; one that fits is enough. */
  identifiers: readonly string[];
}

/** Whom Hadoop takes for the user of a file system, as the node knows it. */
export interface EmrfsUser {
  name: string;
  groups: readonly string[];
}

/** `key` is empty for a bucket; of a listing it is the prefix that is listed. */
export interface S3Place {
  bucket: string;
  key: string;
}

/** s3://BUCKET, s3://BUCKET/ or s3://BUCKET/PREFIX. Undefined for anything else. */
export function prefixPlace(identifier: string): S3Place | undefined {
  const [, bucket, key = ""] = /^s3:\/\/([^/]+)(?:\/(.*))?$/s.exec(identifier) ?? [];
  return bucket === undefined ? undefined : { bucket, key };
}

export function fits({ type, identifiers }: RoleMapping, user: EmrfsUser, place: S3Place): boolean {
  if (type === "User") return identifiers.includes(user.name);
  if (type === "Group") return user.groups.some((group) => identifiers.includes(group));
  return identifiers.some((identifier) => {
    const prefix = prefixPlace(identifier);
    if (prefix?.bucket !== place.bucket) return false;
    // Hadoop asks for a folder without its slash, too: s3://b/finance is in s3://b/finance/.
    return place.key.startsWith(prefix.key) || `${place.key}/` === prefix.key;
  });
}

/** Undefined where none fits: the role of the cluster's instance profile counts. */
export const firstFit = (mappings: readonly RoleMapping[], user: EmrfsUser, place: S3Place): RoleMapping | undefined =>
  mappings.find((mapping) => fits(mapping, user, place));

/** The mapping that every request of the user takes, wherever it goes. Undefined where that is not said, or a mapping by prefix comes first. */
export function fitEverywhere(mappings: readonly RoleMapping[], user: EmrfsUser): RoleMapping | undefined {
  const first = mappings.find((mapping) => mapping.type === "Prefix" || fits(mapping, user, { bucket: "", key: "" }));
  return first?.type === "Prefix" ? undefined : first;
}

/** What a request is told whose role cannot be taken. */
export const cannotTake = ({ type, role }: RoleMapping, user: EmrfsUser, problem: string): string =>
  `EMRFS cannot take the role ${role}, to which a mapping by ${type.toLowerCase()} leads user ${user.name}: ${problem}`;
