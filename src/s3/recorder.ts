/** Records S3 requests in the audit trail, before they are answered: what is done to buckets always, what is done to objects where a trail asks. */
import type { IncomingHttpHeaders, IncomingMessage, OutgoingHttpHeaders, ServerResponse } from "node:http";
import type { BucketFacts } from "../access/bucket-facts.ts";
import type { Principal } from "../access/principal.ts";
import type { AwsError } from "../aws/errors.ts";
import { originOfSocket } from "../aws/origin.ts";
import type { Audit } from "../observe/audit.ts";
import type { DataRules } from "../observe/data-rules.ts";
import { factsOf, type S3Call, s3Event } from "../observe/s3-record.ts";
import type { Sender } from "./prove.ts";
import type { S3Request } from "./request.ts";

/** What is found out of a request, one after the other; without a sender and a request there is nothing to record. */
export interface Seen {
  sender?: Sender;
  /** Who it is authorised as, where that is not who signs. */
  principal?: Principal | undefined;
  request?: S3Request;
  query?: URLSearchParams;
  error?: AwsError;
  /** Of a multi-object delete: its keys, who each is authorised as, and why one was not passed on. */
  deletes?: { key: string; principal?: Principal | undefined; error?: AwsError | undefined }[];
  /** More of CloudTrail's requestParameters. */
  parameters?: Record<string, unknown>;
}

export interface RecorderOptions {
  event: Pick<Audit, "write">;
  data: Pick<Audit, "writeAll">;
  rules: DataRules;
  buckets: BucketFacts;
  now: () => Date;
  /** Of a request that does not say one. */
  region: string;
  /** Told why an event could not be written; the request is answered all the same. */
  fault: (requestId: string, error: unknown) => void;
}

/** Once per request: what `seen` holds when the answer's head is written. */
export type Recorder = (req: IncomingMessage, res: ServerResponse, requestId: string, seen: Seen) => void;

export function createRecorder(options: RecorderOptions): Recorder {
  return (req, res, requestId, seen) => {
    const { writeHead } = res;
    let isRecorded = false;
    res.writeHead = ((status: number, headers?: OutgoingHttpHeaders) => {
      if (!isRecorded) {
        isRecorded = true;
        try {
          record(options, req, requestId, seen, status, headers ?? {});
        } catch (error) {
          options.fault(requestId, error);
        }
      }
      return writeHead.call(res, status, headers);
    }) as ServerResponse["writeHead"];
  };
}

function record(
  options: RecorderOptions,
  req: IncomingMessage,
  requestId: string,
  seen: Seen,
  status: number,
  answered: OutgoingHttpHeaders,
): void {
  const { sender, request } = seen;
  if (!sender || !request) return;
  const { proof } = sender;
  const principal = seen.principal ?? proof?.key.principal;
  const owner = request.bucket === "" ? (principal?.accountId ?? "") : options.buckets.find(request.bucket).accountId;
  const accounts = new Set([owner, principal?.accountId ?? owner]);
  const call: S3Call = {
    requestId,
    now: options.now(),
    method: req.method ?? "",
    bucket: request.bucket,
    key: request.key,
    subresource: request.subresource,
    copies: request.source !== undefined,
    query: seen.query ?? new URLSearchParams(),
    principal,
    accessKeyId: proof?.key.accessKeyId ?? "",
    signature: proof && {
      version: sender.keys.some(([key, value]) => key === "s3:signatureversion" && value === "AWS") ? "SigV2" : "SigV4",
      inQuery: req.headers.authorization === undefined,
    },
    region: proof?.claim.scope.region || options.region,
    origin: originOfSocket(req.socket),
    host: req.headers.host ?? "",
    userAgent: req.headers["user-agent"] ?? "",
    status,
    error: seen.error,
    bytesIn: lengthOf(req.headers),
    bytesOut: req.method === "HEAD" ? 0 : Number(answered["content-length"] ?? 0),
    ...(seen.parameters && { parameters: seen.parameters }),
  };
  if (factsOf(call).category === "Management") {
    for (const account of accounts) options.event.write(s3Event(call, owner, account));
    return;
  }
  // Of a multi-object delete each object is one, too: a trail may ask for some of the bucket only.
  const objects = (seen.deletes ?? []).map(({ key, principal: by = principal, error = call.error }): S3Call => ({
    ...call,
    principal: by,
    method: "DELETE",
    key,
    error,
    subresource: undefined,
    bytesIn: 0,
    bytesOut: 0,
  }));
  const events = [...accounts].flatMap((account) =>
    [call, ...objects].filter((one) => options.rules.wants(account, () => factsOf(one))).map((one) => s3Event(one, owner, account)),
  );
  if (events.length > 0) options.data.writeAll(events);
}

const lengthOf = (headers: IncomingHttpHeaders) => Number(headers["x-amz-decoded-content-length"] ?? headers["content-length"] ?? 0) || 0;
