/** What of a security configuration clusters honour. Each part that they do not is refused when a cluster is to have it. */
import type { SecurityConfiguration } from "./security-configuration-shape.ts";

interface Part {
  name: string;
  /** Does this configuration ask for it? */
  isAsked(configuration: SecurityConfiguration): boolean;
  /** What a user does without it. */
  why: string;
}

/** A part that is built leaves this list. */
const notHonoured: readonly Part[] = [
  {
    name: "EncryptionConfiguration.EnableInTransitEncryption",
    isAsked: (c) => c.EncryptionConfiguration?.EnableInTransitEncryption === true,
    why: "traffic between nodes cannot be encrypted yet",
  },
  {
    name: "EncryptionConfiguration.AtRestEncryptionConfiguration.S3EncryptionConfiguration",
    isAsked: (c) => atRest(c)?.S3EncryptionConfiguration !== undefined,
    why: "objects in S3 cannot be encrypted by EMRFS yet",
  },
  {
    name: "EncryptionConfiguration.AtRestEncryptionConfiguration.LocalDiskEncryptionConfiguration",
    isAsked: (c) => atRest(c)?.LocalDiskEncryptionConfiguration !== undefined,
    why: "a node's disk is a folder of the host, which the host may encrypt",
  },
  {
    name: "AuthenticationConfiguration.KerberosConfiguration",
    isAsked: (c) => c.AuthenticationConfiguration?.KerberosConfiguration !== undefined,
    why: "Kerberos is not in Howdah yet",
  },
  {
    name: "AuthenticationConfiguration.IdentityCenterConfiguration",
    isAsked: (c) => c.AuthenticationConfiguration?.IdentityCenterConfiguration?.EnableIdentityCenter === true,
    why: "IAM Identity Center is not in Howdah",
  },
  {
    name: "AuthorizationConfiguration.LakeFormationConfiguration",
    isAsked: (c) => c.AuthorizationConfiguration?.LakeFormationConfiguration !== undefined,
    why: "Lake Formation is not in Howdah",
  },
  {
    name: "AuthorizationConfiguration.RangerConfiguration",
    isAsked: (c) => c.AuthorizationConfiguration?.RangerConfiguration !== undefined,
    why: "Apache Ranger is not in Howdah",
  },
];

const atRest = ({ EncryptionConfiguration: encryption }: SecurityConfiguration) =>
  encryption?.EnableAtRestEncryption ? encryption.AtRestEncryptionConfiguration : undefined;

/** Each part that a cluster of this configuration would lack, with the reason. */
export const partsNotHonoured = (configuration: SecurityConfiguration): string[] =>
  notHonoured.filter((part) => part.isAsked(configuration)).map(({ name, why }) => `${name}: ${why}`);

/** What has no effect, but does no harm either. */
export const partsWithoutEffect = (configuration: SecurityConfiguration): string[] =>
  configuration.InstanceMetadataServiceConfiguration
    ? ["InstanceMetadataServiceConfiguration.HttpPutResponseHopLimit has no effect: metadata is answered on the node itself, over no hop"]
    : [];
