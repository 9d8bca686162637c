/**
 * The JSON of a security configuration, as the Management Guide has it: "Create a security configuration", with what "Runtime roles", "IAM
 * Identity Center" and "Apache Ranger" add. Unknown keys are refused.
 */
import { z } from "zod";
import { prefixPlace } from "../../access/emrfs-mappings.ts";

const must = (be: string) => ({ error: ({ input }: { input?: unknown }) => (input === undefined ? "is required" : `must be ${be}`) });

const object = <T extends z.core.$ZodLooseShape>(members: T) => z.strictObject(members, must("an object"));
const list = <T extends z.core.SomeType>(element: T) => z.array(element, must("a list"));
/** The guide's examples write booleans as texts, too. */
const flag = z.union([z.boolean(), z.enum(["true", "false"]).transform((word) => word === "true")], must("true or false"));
const text = z.string(must("a text")).min(1, "must not be empty");
const s3Object = text.regex(/^(s3:\/\/|arn:aws[a-z-]*:s3:::)[^/]+\/.+/, "must be s3://bucket/key or arn:aws:s3:::bucket/key");
const kmsKey = text.regex(/^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:(key|alias)\/.+/, "must be the ARN of a KMS key");
const roleArn = text.regex(/^arn:aws[a-z-]*:iam::\d{12}:role\/.+/, "must be the ARN of a role: arn:aws:iam::ACCOUNT:role/NAME");
const arn = text.regex(/^arn:aws[a-z-]*:/, "must be an ARN");
const hours = z.int(must("a whole number of hours")).min(1, "must be at least 1");
const hops = z.int(must("a whole number from 1 to 64")).min(1, "must be from 1 to 64").max(64, "must be from 1 to 64");

const oneOf = <const T extends readonly [string, ...string[]]>(...values: T) =>
  z.enum(values, must(values.join(", ").replace(/, ([^,]*)$/, " or $1")));

type Members = Record<string, unknown>;

/** `rules`: for a value of member `by`, the members that it needs; the others that are named anywhere must not be there. */
const needs =
  (by: string, rules: Record<string, readonly string[]>) =>
  (value: Members, context: z.core.$RefinementCtx): void => {
    const chosen = String(value[by]);
    const needed = rules[chosen] ?? [];
    for (const member of new Set(Object.values(rules).flat())) {
      const [isThere, isNeeded] = [value[member] !== undefined, needed.includes(member)];
      if (isThere === isNeeded) continue;
      const message = isNeeded ? `is required with ${by} ${chosen}` : `must not be there with ${by} ${chosen}`;
      context.addIssue({ code: "custom", path: [member], message });
    }
  };

const tlsCertificates = object({
  CertificateProviderType: oneOf("PEM", "Custom"),
  S3Object: s3Object.optional(),
  CertificateProviderClass: text.optional(),
}).superRefine(needs("CertificateProviderType", { PEM: ["S3Object"], Custom: ["S3Object", "CertificateProviderClass"] }));

const s3Mode = {
  EncryptionMode: oneOf("SSE-S3", "SSE-KMS", "CSE-KMS", "CSE-Custom"),
  AwsKmsKey: kmsKey.optional(),
  S3Object: s3Object.optional(),
  EncryptionKeyProviderClass: text.optional(),
};
const s3ModeNeeds = needs("EncryptionMode", {
  "SSE-KMS": ["AwsKmsKey"],
  "CSE-KMS": ["AwsKmsKey"],
  "CSE-Custom": ["S3Object", "EncryptionKeyProviderClass"],
});
const s3Encryption = object({
  ...s3Mode,
  Overrides: list(object({ BucketName: text, ...s3Mode }).superRefine(s3ModeNeeds)).optional(),
}).superRefine(s3ModeNeeds);

const localDiskEncryption = object({
  EnableEbsEncryption: flag.optional(),
  EncryptionKeyProviderType: oneOf("AwsKms", "Custom"),
  AwsKmsKey: kmsKey.optional(),
  S3Object: s3Object.optional(),
  EncryptionKeyProviderClass: text.optional(),
})
  .superRefine(needs("EncryptionKeyProviderType", { AwsKms: ["AwsKmsKey"], Custom: ["S3Object", "EncryptionKeyProviderClass"] }))
  .refine((value) => !value.EnableEbsEncryption || value.EncryptionKeyProviderType === "AwsKms", {
    path: ["EnableEbsEncryption"],
    message: "needs EncryptionKeyProviderType AwsKms",
  });

const encryption = object({
  EnableInTransitEncryption: flag.optional(),
  EnableAtRestEncryption: flag.optional(),
  InTransitEncryptionConfiguration: object({ TLSCertificateConfiguration: tlsCertificates }).optional(),
  AtRestEncryptionConfiguration: object({
    S3EncryptionConfiguration: s3Encryption.optional(),
    LocalDiskEncryptionConfiguration: localDiskEncryption.optional(),
  })
    .refine((value) => value.S3EncryptionConfiguration ?? value.LocalDiskEncryptionConfiguration, {
      message: "must have S3EncryptionConfiguration, LocalDiskEncryptionConfiguration or both",
    })
    .optional(),
}).superRefine((value, context) => {
  for (const kind of ["InTransit", "AtRest"] as const)
    if (value[`Enable${kind}Encryption`] && !value[`${kind}EncryptionConfiguration`])
      context.addIssue({ code: "custom", path: [`${kind}EncryptionConfiguration`], message: `is required with Enable${kind}Encryption` });
});

const kerberos = object({
  Provider: oneOf("ClusterDedicatedKdc", "ExternalKdc"),
  ClusterDedicatedKdcConfiguration: object({
    TicketLifetimeInHours: hours.optional(),
    CrossRealmTrustConfiguration: object({ Realm: text, Domain: text, AdminServer: text, KdcServer: text }).optional(),
  }).optional(),
  ExternalKdcConfiguration: object({
    TicketLifetimeInHours: hours.optional(),
    KdcServerType: oneOf("Single"),
    AdminServer: text,
    KdcServer: text,
    AdIntegrationConfiguration: object({ AdRealm: text, AdDomain: text, AdServer: text.optional() }).optional(),
  }).optional(),
}).superRefine(needs("Provider", { ClusterDedicatedKdc: ["ClusterDedicatedKdcConfiguration"], ExternalKdc: ["ExternalKdcConfiguration"] }));

const identityCenter = object({
  EnableIdentityCenter: flag,
  IdentityCenterInstanceARN: arn.optional(),
  IdentityCenterApplicationAssigmentRequired: flag.optional(),
  IAMRoleForEMRIdentityCenterApplicationARN: roleArn.optional(),
  EnableUserBackgroundSession: flag.optional(),
});

const roleMapping = object({
  Role: roleArn,
  IdentifierType: oneOf("User", "Group", "Prefix"),
  Identifiers: list(text).min(1, "must have at least one identifier"),
}).superRefine(({ IdentifierType, Identifiers }, context) => {
  for (const [i, identifier] of Identifiers.entries())
    if (IdentifierType === "Prefix" && !prefixPlace(identifier))
      context.addIssue({
        code: "custom",
        path: ["Identifiers", i],
        message: "must be s3://BUCKET/ or s3://BUCKET/PREFIX with IdentifierType Prefix",
      });
});

const ranger = object({
  AdminServerURL: text,
  RoleForRangerPluginsARN: roleArn,
  RoleForOtherAWSServicesARN: roleArn,
  AdminServerSecretARN: arn,
  RangerPluginConfigurations: list(object({ App: text, ClientSecretARN: arn, PolicyRepositoryName: text })),
  AuditConfiguration: object({
    Destinations: object({ AmazonCloudWatchLogs: object({ CloudWatchLogGroup: arn }) }),
  }).optional(),
});

const configuration = object({
  EncryptionConfiguration: encryption.optional(),
  AuthenticationConfiguration: object({
    KerberosConfiguration: kerberos.optional(),
    IdentityCenterConfiguration: identityCenter.optional(),
  }).optional(),
  AuthorizationConfiguration: object({
    EmrFsConfiguration: object({ RoleMappings: list(roleMapping).min(1, "must have at least one mapping") }).optional(),
    IAMConfiguration: object({
      EnableApplicationScopedIAMRole: flag,
      ApplicationScopedIAMRoleConfiguration: object({ PropagateSourceIdentity: flag.optional() }).optional(),
    }).optional(),
    LakeFormationConfiguration: object({ AuthorizedSessionTagValue: text }).optional(),
    RangerConfiguration: ranger.optional(),
  }).optional(),
  InstanceMetadataServiceConfiguration: object({
    MinimumInstanceMetadataServiceVersion: z.literal([1, 2], must("1 or 2")),
    HttpPutResponseHopLimit: hops,
  }).optional(),
});

export type SecurityConfiguration = z.output<typeof configuration>;

/** What is wrong with a text, each fault with the path of its member; empty for a configuration that EMR would take. */
export function readSecurityConfiguration(json: string): { configuration: SecurityConfiguration } | { problems: string[] } {
  let document: unknown;
  try {
    document = JSON.parse(json);
  } catch {
    return { problems: ["it is not JSON"] };
  }
  const result = configuration.safeParse(document);
  return result.success ? { configuration: result.data } : { problems: result.error.issues.flatMap(problemsOf) };
}

function problemsOf(issue: z.core.$ZodIssue): string[] {
  const at = issue.path
    .map((part) => (typeof part === "number" ? `[${part}]` : `.${String(part)}`))
    .join("")
    .replace(/^\./, "");
  const prefix = at ? `${at} ` : "";
  if (issue.code === "unrecognized_keys")
    return issue.keys.map((key) => `${at ? `${at}.` : ""}${key} is not a key of security configurations`);
  return [`${prefix}${issue.message}`];
}
