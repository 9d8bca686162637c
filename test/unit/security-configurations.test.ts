import assert from "node:assert/strict";
import { test } from "node:test";
import { ec2Handlers } from "../../src/api/ec2/handlers.ts";
import { readSecurityConfiguration } from "../../src/api/emr/security-configuration-shape.ts";
import { manifestFor } from "../../src/reconcile/manifest.ts";
import { eventsOf } from "../../src/store/events.ts";
import { instancesOf } from "../../src/store/instances.ts";
import { create, type Harness, harness, makeReady } from "./control-plane-harness.ts";
import { installation } from "./engine-facts.ts";

const key = "arn:aws:kms:us-east-1:123456789012:key/12345678-1234-1234-1234-123456789012";
const pem = { TLSCertificateConfiguration: { CertificateProviderType: "PEM", S3Object: "s3://store/certs.zip" } };
const role = "arn:aws:iam::123456789012:role/r";

const problems = (document: unknown) => {
  const read = readSecurityConfiguration(typeof document === "string" ? document : JSON.stringify(document));
  return "problems" in read ? read.problems : [];
};

/** What the Management Guide shows, each part with the words that RunJobFlow refuses it with. */
const documented: [string, object, RegExp | undefined][] = [
  ["nothing", {}, undefined],
  ["encryption that is off", { EncryptionConfiguration: { EnableInTransitEncryption: false, EnableAtRestEncryption: "false" } }, undefined],
  [
    "in-transit encryption",
    { EncryptionConfiguration: { EnableInTransitEncryption: true, InTransitEncryptionConfiguration: pem } },
    /EncryptionConfiguration\.EnableInTransitEncryption: /,
  ],
  [
    "at-rest encryption of both kinds",
    {
      EncryptionConfiguration: {
        EnableAtRestEncryption: true,
        AtRestEncryptionConfiguration: {
          S3EncryptionConfiguration: {
            EncryptionMode: "SSE-KMS",
            AwsKmsKey: key,
            Overrides: [{ BucketName: "other", EncryptionMode: "SSE-S3" }],
          },
          LocalDiskEncryptionConfiguration: { EnableEbsEncryption: true, EncryptionKeyProviderType: "AwsKms", AwsKmsKey: key },
        },
      },
    },
    /S3EncryptionConfiguration: .*LocalDiskEncryptionConfiguration: /,
  ],
  [
    "at-rest encryption by providers of one's own",
    {
      EncryptionConfiguration: {
        EnableAtRestEncryption: true,
        AtRestEncryptionConfiguration: {
          S3EncryptionConfiguration: { EncryptionMode: "CSE-Custom", S3Object: "arn:aws:s3:::b/k.jar", EncryptionKeyProviderClass: "c.K" },
          LocalDiskEncryptionConfiguration: {
            EncryptionKeyProviderType: "Custom",
            S3Object: "s3://b/k.jar",
            EncryptionKeyProviderClass: "c.K",
          },
        },
      },
    },
    /S3EncryptionConfiguration/,
  ],
  [
    "Kerberos",
    {
      AuthenticationConfiguration: {
        KerberosConfiguration: {
          Provider: "ClusterDedicatedKdc",
          ClusterDedicatedKdcConfiguration: {
            TicketLifetimeInHours: 24,
            CrossRealmTrustConfiguration: { Realm: "AD.DOMAIN.COM", Domain: "ad.domain.com", AdminServer: "a:749", KdcServer: "a:88" },
          },
        },
      },
    },
    /AuthenticationConfiguration\.KerberosConfiguration: Kerberos is not in Howdah yet/,
  ],
  [
    "an external KDC",
    {
      AuthenticationConfiguration: {
        KerberosConfiguration: {
          Provider: "ExternalKdc",
          ExternalKdcConfiguration: {
            KdcServerType: "Single",
            AdminServer: "a:749",
            KdcServer: "a:88",
            AdIntegrationConfiguration: { AdRealm: "AD.DOMAIN.COM", AdDomain: "ad.domain.com" },
          },
        },
      },
    },
    /KerberosConfiguration/,
  ],
  [
    "role mappings",
    {
      AuthorizationConfiguration: {
        EmrFsConfiguration: { RoleMappings: [{ Role: role, IdentifierType: "Prefix", Identifiers: ["s3://mine/", "s3://other/"] }] },
      },
    },
    undefined,
  ],
  ["runtime roles", { AuthorizationConfiguration: { IAMConfiguration: { EnableApplicationScopedIAMRole: true } } }, undefined],
  [
    "runtime roles with Lake Formation",
    {
      AuthorizationConfiguration: {
        IAMConfiguration: {
          EnableApplicationScopedIAMRole: true,
          ApplicationScopedIAMRoleConfiguration: { PropagateSourceIdentity: true },
        },
        LakeFormationConfiguration: { AuthorizedSessionTagValue: "Amazon EMR" },
      },
    },
    /do not have: AuthorizationConfiguration\.LakeFormationConfiguration: /,
  ],
  [
    "IMDSv2 only",
    { InstanceMetadataServiceConfiguration: { MinimumInstanceMetadataServiceVersion: 2, HttpPutResponseHopLimit: 1 } },
    undefined,
  ],
  [
    "both versions of IMDS",
    { InstanceMetadataServiceConfiguration: { MinimumInstanceMetadataServiceVersion: 1, HttpPutResponseHopLimit: 64 } },
    undefined,
  ],
];

const createConfiguration = async (h: Harness, Name: string, document: unknown) =>
  h.handlers.CreateSecurityConfiguration!({ Name, SecurityConfiguration: JSON.stringify(document) } as never, h.request);

for (const [what, document, refusal] of documented)
  test(`a security configuration with ${what} is kept, and ${refusal ? "refused by RunJobFlow, by its part's name" : "taken by RunJobFlow"}`, async () => {
    assert.deepEqual(problems(document), []);
    const h = await harness();
    await createConfiguration(h, "mine", document);
    if (refusal) {
      await assert.rejects(create(h, { SecurityConfiguration: "mine" }), { name: "ValidationException", message: refusal });
      assert.deepEqual((await h.handlers.ListClusters!({}, h.request)).Clusters, []);
      return;
    }
    const ClusterId = await create(h, { SecurityConfiguration: "mine" });
    assert.equal((await h.handlers.DescribeCluster!({ ClusterId }, h.request)).Cluster?.SecurityConfiguration, "mine");
  });

const wrong: [string, unknown, string][] = [
  ["no JSON", "{", "it is not JSON"],
  ["no object", [], "must be an object"],
  ["an unknown part", { Encryption: {} }, "Encryption is not a key of security configurations"],
  [
    "an unknown key deep inside",
    { EncryptionConfiguration: { EnableInTransitEncryption: true, InTransitEncryptionConfiguration: { ...pem, Colour: 1 } } },
    "EncryptionConfiguration.InTransitEncryptionConfiguration.Colour is not a key of security configurations",
  ],
  [
    "a switch without what it switches on",
    { EncryptionConfiguration: { EnableAtRestEncryption: true } },
    "EncryptionConfiguration.AtRestEncryptionConfiguration is required with EnableAtRestEncryption",
  ],
  [
    "a switch of another type",
    { EncryptionConfiguration: { EnableAtRestEncryption: 1 } },
    "EncryptionConfiguration.EnableAtRestEncryption must be true or false",
  ],
  [
    "a mode without its key",
    { EncryptionConfiguration: { AtRestEncryptionConfiguration: { S3EncryptionConfiguration: { EncryptionMode: "SSE-KMS" } } } },
    "EncryptionConfiguration.AtRestEncryptionConfiguration.S3EncryptionConfiguration.AwsKmsKey is required with EncryptionMode SSE-KMS",
  ],
  [
    "a key without its mode",
    {
      EncryptionConfiguration: {
        AtRestEncryptionConfiguration: { S3EncryptionConfiguration: { EncryptionMode: "SSE-S3", AwsKmsKey: key } },
      },
    },
    "EncryptionConfiguration.AtRestEncryptionConfiguration.S3EncryptionConfiguration.AwsKmsKey must not be there with EncryptionMode SSE-S3",
  ],
  [
    "an unknown mode",
    { EncryptionConfiguration: { AtRestEncryptionConfiguration: { S3EncryptionConfiguration: { EncryptionMode: "ROT13" } } } },
    "EncryptionConfiguration.AtRestEncryptionConfiguration.S3EncryptionConfiguration.EncryptionMode must be SSE-S3, SSE-KMS, CSE-KMS or CSE-Custom",
  ],
  [
    "certificates from nowhere",
    {
      EncryptionConfiguration: {
        InTransitEncryptionConfiguration: { TLSCertificateConfiguration: { CertificateProviderType: "PEM", S3Object: "/tmp/x" } },
      },
    },
    "EncryptionConfiguration.InTransitEncryptionConfiguration.TLSCertificateConfiguration.S3Object must be s3://bucket/key or arn:aws:s3:::bucket/key",
  ],
  [
    "a mapping without identifiers",
    { AuthorizationConfiguration: { EmrFsConfiguration: { RoleMappings: [{ Role: role, IdentifierType: "User", Identifiers: [] }] } } },
    "AuthorizationConfiguration.EmrFsConfiguration.RoleMappings[0].Identifiers must have at least one identifier",
  ],
  [
    "a mapping by what is no place in S3",
    {
      AuthorizationConfiguration: {
        EmrFsConfiguration: { RoleMappings: [{ Role: role, IdentifierType: "Prefix", Identifiers: ["s3://mine", "/finance"] }] },
      },
    },
    "AuthorizationConfiguration.EmrFsConfiguration.RoleMappings[0].Identifiers[1] must be s3://BUCKET/ or s3://BUCKET/PREFIX with IdentifierType Prefix",
  ],
  [
    "a mapping to what is no role",
    { AuthorizationConfiguration: { EmrFsConfiguration: { RoleMappings: [{ Role: "r", IdentifierType: "User", Identifiers: ["ann"] }] } } },
    "AuthorizationConfiguration.EmrFsConfiguration.RoleMappings[0].Role must be the ARN of a role: arn:aws:iam::ACCOUNT:role/NAME",
  ],
  [
    "half a metadata configuration",
    { InstanceMetadataServiceConfiguration: { MinimumInstanceMetadataServiceVersion: 1 } },
    "InstanceMetadataServiceConfiguration.HttpPutResponseHopLimit is required",
  ],
];

for (const [what, document, problem] of wrong)
  test(`a security configuration with ${what} is refused, with the path`, () => {
    assert.deepEqual(problems(document), [problem]);
  });

test("names are unique, listed page by page and apart by account and region; what is deleted stays with the cluster that has it", async () => {
  const h = await harness();
  const names = Array.from({ length: 53 }, (_, n) => `name-${String(n).padStart(2, "0")}`);
  for (const name of names.toReversed()) await createConfiguration(h, name, {});
  await assert.rejects(createConfiguration(h, "name-00", {}), {
    name: "InvalidRequestException",
    message: "Security configuration with name 'name-00' already exists.",
  });
  const first = await h.handlers.ListSecurityConfigurations!({}, h.request);
  const second = await h.handlers.ListSecurityConfigurations!({ Marker: first.Marker }, h.request);
  assert.deepEqual(
    [...first.SecurityConfigurations!, ...second.SecurityConfigurations!].map(({ Name }) => Name),
    names,
  );
  assert.equal(first.SecurityConfigurations!.length, 50);
  assert.equal(second.Marker, undefined);
  for (const elsewhere of [
    { ...h.request, region: "eu-west-1" },
    { ...h.request, accountId: "999999999999" },
  ]) {
    assert.deepEqual((await h.handlers.ListSecurityConfigurations!({}, elsewhere)).SecurityConfigurations, []);
    await assert.rejects(async () => h.handlers.DeleteSecurityConfiguration!({ Name: "name-00" }, elsewhere), /does not exist/);
  }

  const described = await h.handlers.DescribeSecurityConfiguration!({ Name: "name-00" }, h.request);
  assert.equal(described.SecurityConfiguration, "{}");
  const ClusterId = await create(h, { SecurityConfiguration: "name-00" });
  await h.handlers.DeleteSecurityConfiguration!({ Name: "name-00" }, h.request);
  await assert.rejects(async () => h.handlers.DescribeSecurityConfiguration!({ Name: "name-00" }, h.request), {
    name: "InvalidRequestException",
    message: "Security configuration with name 'name-00' does not exist.",
  });
  assert.equal((await h.handlers.DescribeCluster!({ ClusterId }, h.request)).Cluster?.SecurityConfiguration, "name-00");
});

test("a cluster whose metadata service is version 2 has nodes that want a token, and EC2 says so", async () => {
  const h = await harness();
  const sources = {
    endpoint: "http://127.0.0.1:1",
    nodeFolder: (one: string) => `/data/nodes/${one}`,
    hostDisk: { bytes: 1e12, keptBytes: 5e10 },
    installation: () => installation,
    catalog: () => ({ url: "", user: "", password: "" }),
  };
  for (const version of [1, 2]) {
    const imds = { MinimumInstanceMetadataServiceVersion: version, HttpPutResponseHopLimit: 1 };
    await createConfiguration(h, `v${version}`, { InstanceMetadataServiceConfiguration: imds });
    const id = await create(h, { SecurityConfiguration: `v${version}` });
    await makeReady(h, id);
    const [{ id: node } = { id: "" }] = await instancesOf(h.store.db, id);
    const manifest = await manifestFor(h.store.db, node, id, sources);
    const wanted = version === 2 ? "required" : "optional";
    assert.equal(manifest?.metadataHttpTokens, wanted);
    const { Reservations = [] } = await ec2Handlers({ store: h.store, ids: h.context.ids, market: h.context.market }).DescribeInstances!(
      { InstanceIds: [node] },
      h.request,
    );
    assert.equal(Reservations[0]?.Instances?.[0]?.MetadataOptions?.HttpTokens, wanted);
  }
});

test("what of it has no effect is a warning of the cluster", async () => {
  const h = await harness();
  const imds = { MinimumInstanceMetadataServiceVersion: 1, HttpPutResponseHopLimit: 2 };
  await createConfiguration(h, "imds", { InstanceMetadataServiceConfiguration: imds });
  const id = await create(h, { SecurityConfiguration: "imds" });
  assert.ok(
    (await eventsOf(h.store.db, id)).some(({ kind, message }) => kind === "warning" && message.includes("HttpPutResponseHopLimit")),
  );
});
