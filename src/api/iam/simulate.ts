/** Policy simulation: the evaluator that decides about requests, asked without one. Source: IAM API Reference, SimulatePrincipalPolicy. */
import type { ContextEntry, EvaluationResult, Statement } from "@aws-sdk/client-iam";
import { awsManagedPolicy } from "../../access/aws-managed-policies.ts";
import { iamArn } from "../../access/arns.ts";
import { globalKeys } from "../../access/global-keys.ts";
import { type Context, contextOf, type ContextValue } from "../../access/policy/context.ts";
import { type Ask, decide } from "../../access/policy/decide.ts";
import { readPolicy } from "../../access/policy/document.ts";
import { applying, keysOf, missingKeys } from "../../access/policy/explain.ts";
import type { Principal } from "../../access/principal.ts";
import { findEntityByArn, groupsOfUser, type IamEntity, tagsOfEntity } from "../../store/iam-entities.ts";
import { attachmentsOf, inlinePoliciesOf, versionsOf } from "../../store/iam-policies.ts";
import type { Db } from "../../store/store.ts";
import type { IamContext, IamRequest, In } from "./context.ts";
import { checkedPolicy } from "./documents.ts";
import { invalidInput, noSuchEntity } from "./errors.ts";
import { paged } from "./paging.ts";

/** A policy that takes part, and what the answer calls it. */
interface Source {
  id: string;
  type: NonNullable<Statement["SourcePolicyType"]>;
  text: string;
}

/** `caller` is who asks, as far as the resource's policy and variables are concerned. */
interface Simulation {
  identity: Source[];
  boundary: Source[];
  caller: Principal | undefined;
}

async function SimulatePrincipalPolicy({ store }: IamContext, input: In<"SimulatePrincipalPolicy">, request: IamRequest) {
  const entity = await theSource(store.db, request, input.PolicySourceArn);
  const own = await policiesOf(store.db, entity);
  const boundary = entity.boundary_arn === null ? [] : [await managed(store.db, entity.boundary_arn)];
  const caller = (await theCaller(store.db, request, input.CallerArn)) ?? (await principalOf(store.db, entity));
  return simulate({ identity: [...own, ...given(input.PolicyInputList, "PolicyInputList")], boundary, caller }, input, request);
}

async function SimulateCustomPolicy({ store }: IamContext, input: In<"SimulateCustomPolicy">, request: IamRequest) {
  const caller = await theCaller(store.db, request, input.CallerArn);
  return simulate({ identity: given(input.PolicyInputList, "PolicyInputList"), boundary: [], caller }, input, request);
}

async function GetContextKeysForPrincipalPolicy({ store }: IamContext, input: In<"GetContextKeysForPrincipalPolicy">, request: IamRequest) {
  const own = await policiesOf(store.db, await theSource(store.db, request, input.PolicySourceArn));
  return contextKeys([...own, ...given(input.PolicyInputList, "PolicyInputList")]);
}

const GetContextKeysForCustomPolicy = (_context: IamContext, input: In<"GetContextKeysForCustomPolicy">) =>
  contextKeys(given(input.PolicyInputList, "PolicyInputList"));

export const simulationOperations = {
  SimulatePrincipalPolicy,
  SimulateCustomPolicy,
  GetContextKeysForPrincipalPolicy,
  GetContextKeysForCustomPolicy,
};

function contextKeys(sources: Source[]) {
  const statements = sources.flatMap(({ text }) => readPolicy(text).statements);
  return { ContextKeyNames: keysOf({ version: undefined, statements }) };
}

/** What the two simulations have in common in their inputs. */
type Asked = Pick<
  In<"SimulateCustomPolicy">,
  | "ActionNames"
  | "ResourceArns"
  | "ResourcePolicy"
  | "ResourceOwner"
  | "ContextEntries"
  | "PermissionsBoundaryPolicyInputList"
  | "MaxItems"
  | "Marker"
> & { PolicyExclusionList?: unknown[]; OrderedOrganizationPolicyInputList?: unknown[]; ResourceHandlingOption?: string };

function simulate(of: Simulation, input: Asked, request: IamRequest) {
  for (const member of ["PolicyExclusionList", "OrderedOrganizationPolicyInputList", "ResourceHandlingOption"] as const)
    if (input[member] !== undefined) throw invalidInput(`${member} is not there in Howdah. Leave the parameter out.`);
  const boundary = input.PermissionsBoundaryPolicyInputList?.length
    ? given(input.PermissionsBoundaryPolicyInputList, "PermissionsBoundaryPolicyInputList")
    : of.boundary;
  if (boundary.length > 1) throw invalidInput("PermissionsBoundaryPolicyInputList: there is one permissions boundary, or none.");
  const resourcePolicy = input.ResourcePolicy;
  if (resourcePolicy !== undefined) checkedPolicy(resourcePolicy);
  const context = contextOf((input.ContextEntries ?? []).map(entryOf), principalContext(of.caller, request));
  const owner = /\d{12}/.exec(input.ResourceOwner ?? "")?.[0] ?? request.accountId;
  for (const action of input.ActionNames)
    if (!/^[\w-]+:\w+$/.test(action)) throw invalidInput(`ActionNames: '${action}' is not the name of an action, such as s3:GetObject.`);
  const resources = input.ResourceArns?.length ? input.ResourceArns : ["*"];
  if (input.ActionNames.length * resources.length > mostPairs)
    throw invalidInput(`ActionNames, ResourceArns: at most ${mostPairs} actions on resources in one request.`);
  const pairs = input.ActionNames.flatMap((action) => resources.map((resource) => ({ action, resource })));
  const numbered = pairs.map((pair, i) => ({ pair, key: String(i).padStart(6, "0") }));
  const { items, ...page } = paged(numbered, input, ({ key }) => key);
  const size = [...of.identity, ...boundary].reduce((sum, { text }) => sum + text.length, resourcePolicy?.length ?? 0);
  if (items.length * size > mostWork)
    throw invalidInput(`The policies are too long for ${items.length} results: ask for fewer by MaxItems.`);
  const results = items.map(({ pair }) => evaluate({ ...of, boundary }, { ...pair, context }, resourcePolicy, owner));
  return { EvaluationResults: results, ...page };
}

/** Nobody keeps the control plane busy by asking what might be: results, and characters of policies that are looked at for them. */
const mostPairs = 10_000;
const mostWork = 20_000_000;

function evaluate(of: Simulation, ask: Ask, resourcePolicy: string | undefined, owner: string): EvaluationResult {
  const { identity, boundary, caller } = of;
  const [limit] = boundary;
  const grants = {
    identity: identity.map(({ id, text }) => ({ name: id, text })),
    boundary: limit && { name: limit.id, text: limit.text },
    session: [],
  };
  const principal = caller ?? anybody(owner);
  const resource = resourcePolicy === undefined ? undefined : { text: resourcePolicy, accountId: owner };
  const decision = decide(principal, grants, ask, resource);
  const matched = [
    ...identity.flatMap((source) => applying(source.text, ask).map((span) => ({ source, span }))),
    ...(resourcePolicy === undefined
      ? []
      : applying(resourcePolicy, ask, { principal }).map((span) => ({
          source: { id: "ResourcePolicy", type: "resource" as const },
          span,
        }))),
  ];
  // Of a deny, the statements that deny; of an allow, those that allow.
  const effect = decision.allowed ? "Allow" : "Deny";
  const missing = [...identity, ...boundary].flatMap(({ text }) => missingKeys(text, ask));
  return {
    EvalActionName: ask.action,
    EvalResourceName: ask.resource,
    EvalDecision: decision.allowed ? "allowed" : decision.explicit ? "explicitDeny" : "implicitDeny",
    MatchedStatements: matched
      .filter(({ span }) => span.effect === effect)
      .map(({ source, span }) => ({
        SourcePolicyId: source.id,
        SourcePolicyType: source.type,
        StartPosition: span.start,
        EndPosition: span.end,
      })),
    MissingContextValues: [...new Set(missing)],
    ...(limit && {
      PermissionsBoundaryDecisionDetail: {
        AllowedByPermissionsBoundary: applying(limit.text, ask).some((span) => span.effect === "Allow"),
      },
    }),
  };
}

/** Somebody of the account whom no policy names. */
const anybody = (accountId: string): Principal => ({
  type: "IAMUser",
  arn: `arn:aws:iam::${accountId}:user/`,
  accountId,
  id: "",
  tags: {},
  sessionPolicies: [],
  clusterId: null,
});

/** The keys of the caller itself; those of a request are for the simulation to say. */
function principalContext(caller: Principal | undefined, request: IamRequest): Context {
  if (!caller) return new Map();
  const circumstances = { sourceIp: "", secure: false, userAgent: "", now: request.now, region: "" };
  return contextOf(globalKeys(caller, circumstances).filter(([key]) => /^aws:(Principal(?!IsAWS)|user)/.test(key)));
}

function entryOf({ ContextKeyName = "", ContextKeyValues = [], ContextKeyType }: ContextEntry): [string, ContextValue] {
  if (ContextKeyType?.endsWith("List")) return [ContextKeyName, ContextKeyValues];
  if (ContextKeyValues.length > 1)
    throw invalidInput(`ContextEntries: ${ContextKeyName} is of the type ${ContextKeyType}, and has one value.`);
  return [ContextKeyName, ContextKeyValues[0] ?? ""];
}

const given = (texts: string[] | undefined, member: string): Source[] =>
  (texts ?? []).map((text, i) => {
    checkedPolicy(text);
    return { id: `${member}.${i + 1}`, type: "none", text };
  });

/** A user, group or role of the account. */
async function theSource(db: Db, request: IamRequest, arn: string): Promise<IamEntity> {
  const entity = await findEntityByArn(db, arn);
  if (entity?.account_id !== request.accountId || !["user", "group", "role"].includes(entity.kind))
    throw noSuchEntity(`Policy source ${arn} was not found.`);
  return entity;
}

async function theCaller(db: Db, request: IamRequest, arn: string | undefined): Promise<Principal | undefined> {
  if (arn === undefined) return undefined;
  const entity = await findEntityByArn(db, arn);
  if (entity?.account_id !== request.accountId) throw noSuchEntity(`Caller ${arn} was not found.`);
  return principalOf(db, entity);
}

async function managed(db: Db, arn: string): Promise<Source> {
  const aws = awsManagedPolicy(arn);
  if (aws) return { id: arn, type: "aws-managed", text: aws.document };
  const version = (await versionsOf(db, arn)).find(({ is_default }) => is_default === 1);
  return { id: arn, type: "user-managed", text: version?.document ?? '{"Version":"2012-10-17","Statement":[]}' };
}

/** Of the user and its groups; of the group; of the role. */
async function policiesOf(db: Db, entity: IamEntity): Promise<Source[]> {
  const groups = entity.kind === "user" ? await groupsOfUser(db, entity.id) : [];
  const found: Source[] = [];
  for (const owner of [entity, ...groups]) {
    for (const arn of await attachmentsOf(db, owner.id)) found.push(await managed(db, arn));
    for (const { name, document } of await inlinePoliciesOf(db, owner.id))
      found.push({ id: `${owner.kind}_${owner.name}_${name}`, type: owner.kind as "user" | "group" | "role", text: document });
  }
  return found;
}

async function principalOf(db: Db, entity: IamEntity): Promise<Principal | undefined> {
  const { account_id: accountId, id, name, kind } = entity;
  const tags = Object.fromEntries((await tagsOfEntity(db, id)).map(({ Key, Value }) => [Key, Value]));
  const common = { accountId, id, tags, sessionPolicies: [], clusterId: null };
  if (kind === "user") return { ...common, type: "IAMUser", arn: iamArn(entity), userName: name };
  if (kind !== "role") return undefined;
  const role = { arn: iamArn(entity), name, id };
  return { ...common, type: "AssumedRole", arn: `arn:aws:sts::${accountId}:assumed-role/${name}/simulated`, id: `${id}:simulated`, role };
}
