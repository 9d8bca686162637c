/** Who makes a request, in IAM's words. Source: IAM User Guide, "Global condition context keys" and "userIdentity" of CloudTrail. */
import type { EmrfsUser } from "./emrfs-mappings.ts";

export type PrincipalType = "Root" | "IAMUser" | "AssumedRole" | "AWSService";

export interface Principal {
  type: PrincipalType;
  /** arn:aws:iam::A:root, arn:aws:iam::A:user/PATH/NAME, arn:aws:sts::A:assumed-role/ROLE/SESSION; of a service its name (elasticmapreduce.amazonaws.com). */
  arn: string;
  accountId: string;
  /** aws:userid: the account's id, AIDA…, AROA…:SESSION. */
  id: string;
  /** IAMUser: aws:username. */
  userName?: string;
  /** AssumedRole: whose policies decide. */
  role?: { arn: string; name: string; id: string };
  sessionName?: string;
  /** Of temporary credentials: when they were issued (aws:TokenIssueTime), in epoch milliseconds. */
  sessionIssuedAt?: number;
  /** aws:SourceIdentity. */
  sourceIdentity?: string;
  /** aws:PrincipalTag/…: of the user or role, and of the session. */
  tags: Record<string, string>;
  /** Of the session: policies that narrow what the role may do, as JSON texts. */
  sessionPolicies: string[];
  /** The cluster whose nodes sign with this. */
  clusterId: string | null;
  /** EMRFS on a node signs with this, for this user: its cluster's role mappings decide who a request to S3 counts as (emrfs-roles.ts). */
  emrfs?: EmrfsUser;
}

/** A policy that decides, and the name that messages and logs give it. `text` is the document as JSON. */
export interface NamedPolicy {
  name: string;
  text: string;
}

/** What decides about a principal. */
export interface Grants {
  /** Attached and inline policies of the user, its groups, or the role; none for Root, which may do everything. */
  identity: readonly NamedPolicy[];
  /** The permissions boundary of the user or role. */
  boundary: NamedPolicy | undefined;
  /** As JSON texts. */
  session: readonly string[];
}

/** Asked anew for each request: a policy holds from the commit that writes it. */
export interface PolicySource {
  grantsOf(principal: Principal): Grants;
}
