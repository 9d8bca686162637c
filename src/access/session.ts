/** What temporary credentials hold beside their key: stored as JSON with it, read whenever it signs. */
import type { EmrfsUser } from "./emrfs-mappings.ts";

/** Of AssumeRole and of an instance profile; of GetSessionToken with a name of "" and nothing else. */
export interface Session {
  /** RoleSessionName; the instance's id for an instance profile. */
  name: string;
  /** The role as it was when the session began, so that it keeps its ARN when the role is deleted. Null for GetSessionToken. */
  role: { path: string; name: string } | null;
  issuedAt: number;
  /** Policies that narrow it, as JSON texts, and ARNs of managed ones. */
  policies: string[];
  policyArns: string[];
  tags: Record<string, string>;
  /** Keys of the tags that go on to the next role of a chain. */
  transitiveTagKeys: string[];
  sourceIdentity: string | null;
  /** It is EMRFS's, for this user of the node. */
  emrfs?: EmrfsUser;
}

export const plainSession = (name: string, role: Session["role"], issuedAt: number): Session => ({
  name,
  role,
  issuedAt,
  policies: [],
  policyArns: [],
  tags: {},
  transitiveTagKeys: [],
  sourceIdentity: null,
});
