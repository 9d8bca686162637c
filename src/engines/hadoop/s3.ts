/**
 * S3 for everything on a node. `s3://` is S3A, which EMR itself made its default in release 7.10. Keys are in no file: S3A's default
 * providers end with the container credentials that the environment names. Where EMRFS has role mappings, Howdah's own provider (java/emrfs) asks for
 * the same with the user's name.
 */
import type { ClusterFacts } from "../engine.ts";
import type { Properties } from "../settings.ts";

export const s3Schemes = ["s3", "s3a", "s3n"];

export function s3Properties({ cluster }: { cluster: Pick<ClusterFacts, "endpoint" | "region" | "hasEmrfsRoles"> }): Properties {
  const perScheme = s3Schemes.flatMap((scheme) => [
    [`fs.${scheme}.impl`, "org.apache.hadoop.fs.s3a.S3AFileSystem"],
    [`fs.AbstractFileSystem.${scheme}.impl`, "org.apache.hadoop.fs.s3a.S3A"],
    [`mapreduce.outputcommitter.factory.scheme.${scheme}`, "org.apache.hadoop.fs.s3a.commit.S3ACommitterFactory"],
  ]);
  return {
    ...Object.fromEntries(perScheme),
    ...(cluster.hasEmrfsRoles ? { "fs.s3a.aws.credentials.provider": "howdah.emrfs.UserCredentialsProvider" } : {}),
    "fs.s3a.endpoint": cluster.endpoint,
    "fs.s3a.endpoint.region": cluster.region,
    "fs.s3a.path.style.access": "true",
    "fs.s3a.connection.ssl.enabled": String(cluster.endpoint.startsWith("https:")),
    "fs.s3a.committer.name": "magic",
    "fs.s3a.committer.magic.enabled": "true",
    "fs.s3a.fast.upload.buffer": "disk",
    "fs.s3a.multipart.size": "32M",
    "fs.s3a.connection.maximum": "200",
    "fs.s3a.threads.max": "32",
    "fs.s3a.connection.establish.timeout": "15s",
    "fs.s3a.connection.timeout": "120s",
    "fs.s3a.attempts.maximum": "5",
    "fs.s3a.retry.limit": "5",
  };
}

/** emrfs-site properties with a twin in S3A; a function gives the twin's value. */
const twins = new Map<string, [name: string, value?: (value: string) => string]>(
  Object.entries({
    "fs.s3.maxConnections": ["fs.s3a.connection.maximum"],
    "fs.s3.maxRetries": ["fs.s3a.retry.limit"],
    "fs.s3n.multipart.uploads.split.size": ["fs.s3a.multipart.size"],
    "fs.s3.buffer.dir": ["fs.s3a.buffer.dir"],
    "fs.s3.canned.acl": ["fs.s3a.acl.default"],
    "fs.s3.requesterPays.enabled": ["fs.s3a.requester.pays.enabled"],
    "fs.s3.useRequesterPaysHeader": ["fs.s3a.requester.pays.enabled"],
    "fs.s3.enableServerSideEncryption": ["fs.s3a.encryption.algorithm", (value) => (value === "true" ? "AES256" : "")],
    "fs.s3.serverSideEncryption.kms.keyId": ["fs.s3a.encryption.key"],
  }),
);

/** emrfs-site as S3A understands it. */
export function fromEmrfs(emrfs: Properties): Properties {
  const found: Properties = {};
  for (const [name, value] of Object.entries(emrfs)) {
    const twin = twins.get(name);
    const given = twin?.[1] ? twin[1](value) : value;
    if (twin && given !== "") found[twin[0]] = given;
  }
  if (found["fs.s3a.encryption.key"]) found["fs.s3a.encryption.algorithm"] = "SSE-KMS";
  return found;
}

/** The warning for a property of emrfs-site that has no effect; undefined where it has. */
export function emrfsWarning(property: string): string | undefined {
  if (twins.has(property)) return undefined;
  return `${property} has no effect: s3:// is S3A here, and S3A has no such setting`;
}
