/** Access keys as a lookup gives them, for tests without a store. */
import type { AccessKey } from "../../src/access/keys.ts";

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
