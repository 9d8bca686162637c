/**
 * An API call as a CloudTrail record. Source: CloudTrail User Guide, "Record contents for management, data, and network activity events" and
 * "userIdentity element".
 */
import { randomUUID } from "node:crypto";
import type { Principal } from "../access/principal.ts";
import type { Operation, Service } from "../aws/operations.ts";
import type { Origin } from "../aws/origin.ts";
import { shown } from "./redact.ts";
import { type ResourceRef, resourcesOf } from "./resources.ts";

/** A call whose signature was right: others are not in a customer's trail. */
export interface AuditedCall {
  requestId: string;
  /** When it was answered. */
  now: Date;
  principal: Principal;
  accessKeyId: string;
  region: string;
  origin: Origin;
  /** The Host header. */
  host: string;
  userAgent: string;
  service: Service;
  operation: Operation;
  /** Undefined where the request was not understood. */
  input: unknown;
  output: unknown;
  error: { code: string; message: string } | undefined;
}

/** What is looked up by, and the record itself as JSON. */
export interface AuditEvent {
  accountId: string;
  region: string;
  /** Epoch milliseconds. */
  time: number;
  eventId: string;
  name: string;
  source: string;
  userName: string;
  accessKeyId: string;
  readOnly: boolean;
  resources: ResourceRef[];
  record: string;
}

/** Longer ones are left out with their size, as CloudTrail does. */
const largestPart = 100 << 10;
/** And what a client says of itself is cut. */
const longestUserAgent = 1024;

const reads = /^(Describe|List|Get|Lookup|Search|Simulate|Head|Preview|Validate|Generate|Decode|Check)/;
/** These only hand out credentials: CloudTrail calls them reads, and shows what they answered. */
const handsOut = /^(AssumeRole|GetSessionToken|GetFederationToken)/;
/** Of the services that are the same in every region. */
const globalRegion = "us-east-1";

export const isReadOnly = (operation: string): boolean => reads.test(operation) || handsOut.test(operation);

export function auditEvent(call: AuditedCall): AuditEvent {
  const { service, operation, principal, error } = call;
  const readOnly = isReadOnly(operation.name);
  const showsAnswer = !error && (!readOnly || (service.signingName === "sts" && handsOut.test(operation.name)));
  const parameters = part(shown(operation.input, call.input));
  const answer = showsAnswer ? part(shown(operation.output, call.output)) : null;
  const region = service.signingName === "iam" ? globalRegion : call.region;
  const source = `${service.signingName}.amazonaws.com`;
  const eventId = randomUUID();
  const resources = resourcesOf(service.signingName, parameters, answer);
  const record = {
    eventVersion: "1.11",
    userIdentity: userIdentity(principal, call.accessKeyId),
    eventTime: seconds(call.now),
    eventSource: source,
    eventName: operation.name,
    awsRegion: region,
    sourceIPAddress: call.origin.sourceIp,
    userAgent: call.userAgent.slice(0, longestUserAgent),
    ...(error && { errorCode: errorCode(service, error.code), errorMessage: error.message }),
    requestParameters: parameters,
    responseElements: answer,
    requestID: call.requestId,
    eventID: eventId,
    readOnly,
    ...withArns(resources, principal.accountId),
    eventType: "AwsApiCall",
    managementEvent: true,
    recipientAccountId: principal.accountId,
    eventCategory: "Management",
    ...tlsDetails(call.origin, call.host),
  };
  return {
    accountId: principal.accountId,
    region,
    time: call.now.getTime(),
    eventId,
    name: operation.name,
    source,
    userName: userName(principal),
    accessKeyId: call.accessKeyId,
    readOnly,
    resources,
    record: JSON.stringify(record),
  };
}

/** ISO 8601, in UTC, without a fraction. */
export const seconds = (date: Date): string => date.toISOString().replace(/\.\d{3}Z$/, "Z");

export function tlsDetails({ tls }: Origin, host: string) {
  return tls && { tlsDetails: { tlsVersion: tls.version, cipherSuite: tls.cipherSuite, clientProvidedHostHeader: host } };
}

/** Null for nothing at all, as of an operation that takes or answers nothing. */
function part(value: unknown): unknown {
  if (value === undefined || Object.keys(value as object).length === 0) return null;
  const originalSize = Buffer.byteLength(JSON.stringify(value));
  return originalSize <= largestPart ? value : { omitted: true, originalSize, reason: `larger than ${largestPart} bytes` };
}

const errorCode = (service: Service, code: string) => (service.signingName === "ec2" ? `Client.${code}` : code);

/** By ARN where that is how the call names it. */
function withArns(resources: readonly ResourceRef[], accountId: string) {
  const named = resources.filter(({ name }) => name.startsWith("arn:"));
  if (named.length === 0) return {};
  return { resources: named.map(({ type, name }) => ({ accountId: name.split(":")[4] || accountId, type, ARN: name })) };
}

/** As LookupEvents names it: a user's name, a session's, or root. */
export function userName(principal: Principal): string {
  if (principal.type === "Root") return "root";
  return principal.userName ?? principal.sessionName ?? principal.arn;
}

export function userIdentity(principal: Principal, accessKeyId: string): Record<string, unknown> {
  const { type, id, arn, accountId, role, sessionIssuedAt, sourceIdentity } = principal;
  if (type === "AWSService") return { type, invokedBy: arn };
  const sessionContext = sessionIssuedAt !== undefined && {
    sessionContext: {
      ...(role && {
        sessionIssuer: { type: "Role", principalId: role.id, arn: role.arn, accountId: role.arn.split(":")[4], userName: role.name },
      }),
      attributes: { creationDate: seconds(new Date(sessionIssuedAt)), mfaAuthenticated: "false" },
      ...(sourceIdentity !== undefined && { sourceIdentity }),
      ...(principal.clusterId !== null && { ec2RoleDelivery: "2.0" }),
    },
  };
  return {
    type,
    principalId: id,
    arn,
    accountId,
    accessKeyId,
    ...(principal.userName !== undefined && { userName: principal.userName }),
    ...sessionContext,
  };
}
