/** What is wrong with a policy document, and how IAM and S3 say it. */

export type Problem =
  | "json"
  | "syntax"
  | "field"
  | "version"
  | "old-version"
  | "sid"
  | "same-sid"
  | "effect"
  | "principal-missing"
  | "principal-forbidden"
  | "principal"
  | "action-missing"
  | "action"
  | "trust-action"
  | "resource-missing"
  | "resource-forbidden"
  | "resource"
  | "condition-operator"
  | "condition-value"
  | "condition-key"
  | "does-not-apply";

/** `detail` names the part, as it was written. */
export class PolicyError extends Error {
  readonly problem: Problem;
  readonly detail: string;

  constructor(problem: Problem, detail = "") {
    super(`${iamMessage(problem, detail)}${detail ? ` (${detail})` : ""}`);
    this.name = "PolicyError";
    this.problem = problem;
    this.detail = detail;
  }
}

/** The text of IAM's MalformedPolicyDocument. */
export function iamMessage(problem: Problem, detail: string): string {
  return iam[problem]?.(detail) ?? "Syntax errors in policy.";
}

/** The text of S3's MalformedPolicy. */
export function s3Message(problem: Problem, detail: string): string {
  return s3[problem]?.(detail) ?? "Invalid policy syntax.";
}

type Messages = Partial<Record<Problem, (detail: string) => string>>;

const iam: Messages = {
  "old-version": () => "Policy document must be version 2012-10-17 or greater.",
  sid: () => "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*",
  "same-sid": () => "Statement IDs (SID) in a single policy must be unique.",
  "principal-missing": () => "Missing required field Principal",
  "principal-forbidden": () => "Policy document should not specify a principal.",
  principal: (detail) => `Invalid principal in policy: ${detail}`,
  "action-missing": () => "Policy statement must contain actions.",
  action: (detail) =>
    detail.includes(":")
      ? "Actions/Condition can contain only one colon."
      : "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.",
  "trust-action": () => "AssumeRole policy may only specify STS AssumeRole actions.",
  "resource-missing": () => "Policy statement must contain resources.",
  "resource-forbidden": () => "Has prohibited field Resource",
  resource: (detail) => `Resource ${detail} must be in ARN format or "*".`,
  "condition-operator": (detail) => `Invalid condition operator: ${detail}`,
  "condition-value": (detail) => `Invalid condition value: ${detail}`,
  "condition-key": () => "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.",
};

const s3: Messages = {
  json: () => "Policies must be valid JSON and the first byte must be '{'",
  field: (detail) => `Unknown field ${detail}`,
  version: () => "The policy must contain a valid version string",
  effect: (detail) => (detail === "" ? "Missing required field Effect" : `Invalid effect: ${detail}`),
  "principal-missing": () => "Missing required field Principal",
  principal: () => "Invalid principal in policy",
  "action-missing": () => "Missing required field Action",
  action: () => "Policy has invalid action",
  "resource-missing": () => "Missing required field Resource",
  resource: () => "Policy has invalid resource",
  "condition-operator": (detail) => `Invalid Condition type : ${detail}`,
  "condition-value": (detail) => `Invalid Condition value : ${detail}`,
  "condition-key": () => "Policy has an invalid condition key",
  "does-not-apply": () => "Action does not apply to any resource(s) in statement",
};
