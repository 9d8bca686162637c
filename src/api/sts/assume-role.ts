/**
 * AssumeRole. That the role trusts the caller is decided before, with all other permissions (src/access/actions/sts.ts); here is what the session
 * may hold. Source: API reference of AssumeRole; IAM User Guide, "Pass session tags" and "Chaining roles with session tags".
 */
import { awsManagedPolicy } from "../../access/aws-managed-policies.ts";
import { plainSession, type Session } from "../../access/session.ts";
import { AwsError } from "../../aws/errors.ts";
import { findKey, insertSession } from "../../store/access-keys.ts";
import { findEntityByArn, type IamEntity } from "../../store/iam-entities.ts";
import type { Db } from "../../store/store.ts";
import { readIdentityPolicy } from "../iam/documents.ts";
import { accessDenied, credentialsShape, type In, refuseMfa, type StsContext, type StsRequest, validationError } from "./context.ts";

const chainedSeconds = 3600;
const mostPolicies = 10;
/** AWS packs policies and tags into the token, and tells how full it is; here they are counted as they are. */
const largestPacked = 8192;

export async function AssumeRole({ store, ids }: StsContext, input: In<"AssumeRole">, request: StsRequest) {
  refuseMfa(input);
  if (input.ProvidedContexts?.length) throw validationError("ProvidedContexts: no context providers are there in Howdah. Leave it out.");
  return store.transaction(async (tx) => {
    const role = await findEntityByArn(tx.db, input.RoleArn);
    // It was there when it was asked for.
    if (role?.kind !== "role")
      throw accessDenied(`User: ${request.principal.arn} is not authorized to perform: sts:AssumeRole on resource: ${input.RoleArn}`);
    const caller = await callersSession(tx.db, request);
    const tags = sessionTags(input, caller);
    const session: Session = {
      ...plainSession(input.RoleSessionName, { path: role.path, name: role.name }, tx.now),
      policies: input.Policy === undefined ? [] : [readSessionPolicy(input.Policy)],
      policyArns: await sessionPolicyArns(tx.db, role, input.PolicyArns ?? []),
      ...tags,
      sourceIdentity: sourceIdentity(input.SourceIdentity, request),
    };
    const PackedPolicySize = packedPercent(session);
    const key = await insertSession(tx, ids, {
      accountId: role.account_id,
      ownerId: role.id,
      session,
      expiresAt: tx.now + lifeSeconds(input.DurationSeconds, role, caller !== undefined) * 1000,
    });
    return {
      Credentials: credentialsShape(key),
      AssumedRoleUser: {
        AssumedRoleId: `${role.id}:${session.name}`,
        Arn: `arn:aws:sts::${role.account_id}:assumed-role/${role.name}/${session.name}`,
      },
      ...(PackedPolicySize > 0 ? { PackedPolicySize } : {}),
      ...(session.sourceIdentity === null ? {} : { SourceIdentity: session.sourceIdentity }),
    };
  });
}

/** Of a role, where it is a role's session that signs. */
async function callersSession(db: Db, request: StsRequest): Promise<Session | undefined> {
  if (request.principal.type !== "AssumedRole") return undefined;
  const key = await findKey(db, request.accessKeyId);
  return key?.session ? (JSON.parse(key.session) as Session) : undefined;
}

function lifeSeconds(asked: number | undefined, role: IamEntity, isChained: boolean): number {
  const seconds = asked ?? chainedSeconds;
  if (isChained && seconds > chainedSeconds)
    throw validationError("The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining");
  if (seconds > (role.max_session_seconds ?? chainedSeconds))
    throw validationError("The requested DurationSeconds exceeds the MaxSessionDuration set for this role.");
  return seconds;
}

const mostPolicyCharacters = 2048;

function readSessionPolicy(text: string): string {
  if (text.length > mostPolicyCharacters)
    throw tooLarge(`The session policy has ${text.length} characters; ${mostPolicyCharacters} are allowed.`);
  readIdentityPolicy(text);
  return text;
}

const tooLarge = (message: string) => new AwsError("PackedPolicyTooLarge", message);

/** Managed policies of the role's account, or AWS's. */
async function sessionPolicyArns(db: Db, role: IamEntity, asked: readonly { arn?: string }[]): Promise<string[]> {
  if (asked.length > mostPolicies) throw validationError(`PolicyArns: at most ${mostPolicies} managed policies, not ${asked.length}.`);
  const arns = asked.map(({ arn }) => arn ?? "");
  for (const arn of arns) {
    if (awsManagedPolicy(arn)) continue;
    const policy = await findEntityByArn(db, arn);
    if (policy?.kind !== "policy" || policy.account_id !== role.account_id)
      throw validationError(`PolicyArns: the policy ${arn} is not one of the account ${role.account_id}.`);
  }
  return arns;
}

/** The session's own, and those that the caller's session hands on. */
function sessionTags(input: In<"AssumeRole">, caller: Session | undefined): Pick<Session, "tags" | "transitiveTagKeys"> {
  const [own, transitive] = [input.Tags ?? [], input.TransitiveTagKeys ?? []];
  const lower = (key: string) => key.toLowerCase();
  const ownKeys = own.map(({ Key }) => lower(Key));
  if (new Set(ownKeys).size < ownKeys.length)
    throw validationError("Duplicate tag keys found. Please note that Tag keys are case insensitive.");
  if (ownKeys.some((key) => key.startsWith("aws:"))) throw validationError("Tags: keys that begin with aws: are reserved.");
  const missing = transitive.find((key) => !ownKeys.includes(lower(key)));
  if (missing !== undefined) throw validationError(`TransitiveTagKeys: the tag ${missing} is not among Tags.`);
  const inherited = Object.entries(caller?.tags ?? {}).filter(([key]) =>
    caller?.transitiveTagKeys.some((one) => lower(one) === lower(key)),
  );
  const conflict = inherited.find(([key]) => ownKeys.includes(lower(key)));
  if (conflict)
    throw validationError(`Tags: ${conflict[0]} conflicts with a transitive tag of the calling session, which cannot be set again.`);
  return {
    tags: Object.fromEntries([...inherited, ...own.map(({ Key, Value }): [string, string] => [Key, Value])]),
    transitiveTagKeys: [...inherited.map(([key]) => key), ...transitive],
  };
}

/** It stays the same along a chain of roles. */
function sourceIdentity(asked: string | undefined, { principal }: StsRequest): string | null {
  const before = principal.sourceIdentity;
  if (before !== undefined && asked !== undefined && asked !== before)
    throw accessDenied(`SourceIdentity: the calling session's is ${before}, and cannot be changed.`);
  return asked ?? before ?? null;
}

/** 0 where there is nothing to pack. Throws PackedPolicyTooLarge. */
function packedPercent({ policies, policyArns, tags, transitiveTagKeys }: Session): number {
  const texts = [...policies, ...policyArns, ...Object.entries(tags).flat(), ...transitiveTagKeys];
  const size = texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  const percent = Math.ceil((size / largestPacked) * 100);
  if (percent > 100) throw tooLarge(`Packed size of session policies and tags consumes ${percent}% of allotted space.`);
  return percent;
}
