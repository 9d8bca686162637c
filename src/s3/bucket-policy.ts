/** A bucket's policy: put, shown and deleted here, for the S3 server behind has none. Source: Amazon S3 API Reference. */
import { isIP } from "node:net";
import type { BucketFacts } from "../access/bucket-facts.ts";
import { checkBucketPolicy } from "../access/policy/checks.ts";
import { PolicyError, s3Message } from "../access/policy/policy-error.ts";
import { AwsError } from "../aws/errors.ts";
import { type Allowed, send, wholeOf } from "./allowed.ts";
import { checkedBody } from "./body.ts";
import { exists, noSuchBucket } from "./buckets.ts";
import { moving } from "./moving.ts";

/** 20 KB, as in S3. */
const longestPolicy = 20_480;

/** Throws MalformedPolicy for what S3 would not take. */
export function checkPolicy(text: string, bucket: string, buckets: Pick<BucketFacts, "isPrincipal">): void {
  if (Buffer.byteLength(text) > longestPolicy) throw malformed(`The policy has more than ${longestPolicy} bytes.`);
  try {
    const policy = checkBucketPolicy(text, bucket);
    const named = policy.statements.flatMap(({ principal }) => [...(principal?.element.aws ?? [])]);
    const unknown = named.find((name) => !buckets.isPrincipal(name));
    if (unknown !== undefined) throw new PolicyError("principal", unknown);
  } catch (error) {
    if (error instanceof PolicyError) throw malformed(s3Message(error.problem, error.detail));
    throw error;
  }
}

const malformed = (message: string) => new AwsError("MalformedPolicy", message);

const noPolicy = (bucket: string) => new AwsError("NoSuchBucketPolicy", "The bucket policy does not exist", 404, { BucketName: bucket });

/** Answers PutBucketPolicy, GetBucketPolicy, DeleteBucketPolicy and GetBucketPolicyStatus. */
export async function answerPolicy(asked: Allowed): Promise<void> {
  const { req, res, options, requestId, begin, server, signed, headers, request, sender } = asked;
  const { bucket, subresource } = request;
  const { buckets } = options;
  if (!(await exists(server, bucket))) throw noSuchBucket(bucket);
  const { accountId, policy } = buckets.find(bucket);
  // Another account may be allowed much, but never this.
  if (subresource === "policy" && sender.proof?.key.principal.accountId !== accountId)
    throw new AwsError("MethodNotAllowed", "The specified method is not allowed against this resource.", 405);
  if (signed.method === "PUT") {
    const body = checkedBody(moving(req.iterator({ destroyOnReturn: false })), headers, sender.declared, sender.proof);
    if (body.length > longestPolicy) throw malformed(`The policy has more than ${longestPolicy} bytes.`);
    begin();
    const text = (await wholeOf(body, longestPolicy)).toString("utf8");
    checkPolicy(text, bucket, buckets);
    asked.seen.parameters = { bucketPolicy: JSON.parse(text) as unknown };
    await buckets.change({ kind: "policy", name: bucket, accountId, policy: text });
    send(res, 204, {}, undefined, requestId);
    return;
  }
  begin();
  if (signed.method === "DELETE") {
    await buckets.change({ kind: "policy", name: bucket, accountId, policy: null });
    send(res, 204, {}, undefined, requestId);
    return;
  }
  if (policy === undefined) throw noPolicy(bucket);
  const [type, body] = subresource === "policy" ? ["application/json", policy] : ["application/xml", policyStatus(policy)];
  send(res, 200, { "content-type": type }, body, requestId);
}

/** The answer of GetBucketPolicyStatus. */
export function policyStatus(text: string): string {
  const statements = (JSON.parse(text) as { Statement: unknown }).Statement;
  const isPublic = [statements].flat().some((statement) => opensToAll(statement as Statement));
  const namespace = "http://s3.amazonaws.com/doc/2006-03-01/";
  return `<?xml version="1.0" encoding="UTF-8"?>\n<PolicyStatus xmlns="${namespace}"><IsPublic>${isPublic}</IsPublic></PolicyStatus>`;
}

interface Statement {
  Effect: string;
  Principal?: unknown;
  NotPrincipal?: unknown;
  Condition?: Record<string, Record<string, unknown>>;
}

/** Keys that say who or from where: a fixed value of one of them makes a statement for everybody one for some. */
const narrowing = new Set(
  "aws:sourceip aws:sourcearn aws:sourcevpc aws:sourcevpce aws:sourceowner aws:sourceaccount aws:userid aws:principalarn aws:principalaccount aws:principalorgid s3:dataaccesspointarn s3:dataaccesspointaccount".split(
    " ",
  ),
);

/** "Blocking public access: the meaning of public", in S3's User Guide. */
function opensToAll({ Effect, Principal, NotPrincipal, Condition = {} }: Statement): boolean {
  if (Effect !== "Allow") return false;
  const named = typeof Principal === "object" && Principal !== null ? [(Principal as { AWS?: unknown }).AWS].flat() : [Principal];
  if (NotPrincipal === undefined && !named.includes("*")) return false;
  return !Object.entries(Condition).some(([operator, keys]) => {
    // What is only asked for if it exists, or for any of many, keeps nobody out.
    if (/IfExists$|^ForA|Not/i.test(operator) || !/^(String|Arn|IpAddress)/i.test(operator)) return false;
    return Object.entries(keys).some(
      ([key, values]) => narrowing.has(key.toLowerCase()) && [values].flat().every((value) => isFixed(String(value))),
    );
  });
}

function isFixed(value: string): boolean {
  const [ip = "", prefix] = value.split("/");
  const version = isIP(ip);
  // Ranges wider than these are the world.
  if (version !== 0) return prefix === undefined || Number(prefix) >= (version === 4 ? 8 : 32);
  return !/[*?]|\$\{/.test(value);
}
