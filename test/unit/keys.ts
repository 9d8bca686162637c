/** Access keys as a lookup gives them, for tests without a store. */
import { createAuthoriser } from "../../src/access/authorise.ts";
import { awsManagedPolicy } from "../../src/access/aws-managed-policies.ts";
import type { AccessKey } from "../../src/access/keys.ts";
import type { PolicySource } from "../../src/access/principal.ts";
import type { ResourceFacts } from "../../src/access/resource-facts.ts";

const accountId = "123456789012";
const common = { accountId, tags: {}, sessionPolicies: [], clusterId: null };

/** Of a user. */
export const adminKey: AccessKey = {
  accessKeyId: "AKIAADMIN",
  secretAccessKey: "admin-secret",
  sessionToken: null,
  expiresAt: null,
  principal: { ...common, type: "IAMUser", arn: `arn:aws:iam::${accountId}:user/admin`, id: "AIDAADMIN", userName: "admin" },
};

/** Of a cluster's node. */
export const nodeKey: AccessKey = {
  accessKeyId: "ASIACLUSTER",
  secretAccessKey: "cluster-secret",
  sessionToken: "cluster-token",
  expiresAt: null,
  principal: {
    ...common,
    type: "AssumedRole",
    arn: `arn:aws:sts::${accountId}:assumed-role/EMR_EC2_DefaultRole/i-1`,
    id: "AROANODE:i-1",
    role: { arn: `arn:aws:iam::${accountId}:role/EMR_EC2_DefaultRole`, name: "EMR_EC2_DefaultRole", id: "AROANODE" },
    sessionName: "i-1",
    clusterId: "j-1",
  },
};

/** What decides about these keys: the admin's policy, and that of EMR's default role for nodes. */
export const policies: PolicySource = {
  grantsOf({ userName, sessionPolicies: session }) {
    const name = `arn:aws:iam::aws:policy/${userName === "admin" ? "AdministratorAccess" : "service-role/AmazonElasticMapReduceforEC2Role"}`;
    return { identity: [{ name, text: awsManagedPolicy(name)!.document }], boundary: undefined, session };
  },
};

/** There is nothing yet. */
export const noFacts: ResourceFacts = {
  clusterTags: () => undefined,
  clusterOfGroup: () => undefined,
  ec2Tags: () => ({}),
  trailTags: () => ({}),
  iam: () => undefined,
  iamPolicy: () => undefined,
  iamArn: (accountId, kind, name) => `arn:aws:iam::${accountId}:${kind}/${name}`,
  role: () => undefined,
  roleOfProfile: (accountId, profile) => `arn:aws:iam::${accountId}:role/${profile}`,
  userOfKey: () => undefined,
};

export const authorise = createAuthoriser(policies, noFacts);

/** For services that are not asked for trails. */
export const noTrails = {
  catalogs: undefined,
  store: undefined as never,
  audits: { event: { lookUp: () => [], lastId: () => 0 }, data: { lookUp: () => [], lastId: () => 0 } },
  s3: { bucketExists: async () => false },
  buckets: { find: () => ({ accountId, policy: undefined, tags: undefined, known: false }) },
};
