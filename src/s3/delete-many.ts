/** DeleteObjects: a list, decided about object by object. */
import { createHash } from "node:crypto";
import type { Principal } from "../access/principal.ts";
import { AwsError } from "../aws/errors.ts";
import { accessDenied } from "./access.ts";
import { type Allowed, send, wholeOf } from "./allowed.ts";
import { checkedBody } from "./body.ts";
import { checksumPrefix } from "./checksums.ts";
import { deleteErrorsOf, errorOf } from "./answer-errors.ts";
import { type Doomed, readDeleteList, withRefused, writeDeleteList } from "./delete-list.ts";
import { exchange, textOf } from "./exchange.ts";
import { answerHeaders, upstreamRequest } from "./forwarding.ts";
import { moving } from "./moving.ts";
import { nullVersion } from "./object-versions.ts";
import { deleteAsked } from "./request.ts";
import { refuseKey, refuseUnsupported } from "./unsupported.ts";
import type { UpstreamRequest } from "./upstream.ts";

/** S3's own limit for such a list, in bytes. */
const deleteLimit = 2 << 20;

/** Those that are not allowed are told as such. Each is asked for as whom EMRFS's mappings lead to for it. */
export async function deleteMany(asked: Allowed): Promise<void> {
  const { req, res, requestId, begin, server, signed, query, headers, request, sender, accessTo, seen } = asked;
  const { bucket } = request;
  function look({ key, version }: Doomed): { principal?: Principal | undefined; error?: AwsError } {
    try {
      const { principal, access } = accessTo(key);
      return access.isAllowed(deleteAsked(bucket, key, version)) ? { principal } : { principal, error: accessDenied() };
    } catch (error) {
      if (error instanceof AwsError) return { error };
      throw error;
    }
  }
  const body = checkedBody(moving(req.iterator({ destroyOnReturn: false })), headers, sender.declared, sender.proof);
  if (!server.external) refuseUnsupported(signed.method, signed.path, query, headers, body.length);
  begin();
  const list = readDeleteList((await wholeOf(body, deleteLimit)).toString("utf8"));
  const looked = list.objects.map((object) => ({ ...object, ...look(object) }));
  const objects = looked.filter(({ error }) => !error);
  const refused = looked.filter(({ error }) => error).map(({ key, version, error }) => ({ key, version, message: error!.message }));
  seen.deletes = looked;
  const [by, ...others] = new Set(looked.map(({ principal }) => principal));
  if (by && others.length === 0) seen.principal = by;
  if (objects.length === 0) {
    send(res, 200, { "content-type": "application/xml" }, withRefused("", refused), requestId);
    return;
  }
  const content = Buffer.from(writeDeleteList({ ...list, objects: server.external ? objects : objects.map(unversioned) }));
  const upstream = withContent(upstreamRequest(signed, headers, server, content.length), content);
  async function* whole() {
    yield content;
  }
  const answer = await exchange(server, upstream, { stream: whole() }, req, res);
  const status = answer.statusCode ?? 502;
  const text = await textOf(answer);
  if (status >= 400) seen.error = errorOf(text, status);
  const errors = deleteErrorsOf(text);
  for (const one of seen.deletes) one.error ??= errors.get(one.key);
  const answered = answerHeaders(answer, requestId);
  delete answered["content-length"];
  send(res, status, answered, refused.length > 0 && status === 200 ? withRefused(text, refused) : text, requestId);
}

/** As the embedded server has it, which would take any version for the object itself. */
function unversioned({ key, version }: Doomed): Doomed {
  refuseKey(key);
  if (version !== undefined && version !== nullVersion)
    throw new AwsError("NotImplemented", `VersionId: Howdah's embedded S3 server has no versions, and so no ${version} of ${key}.`, 501);
  return { key, version: undefined };
}

/** A body that was written anew has a digest of its own. */
function withContent(upstream: UpstreamRequest, content: Buffer): UpstreamRequest {
  const kept = Object.entries(upstream.headers).filter(
    ([name]) => !name.startsWith(checksumPrefix) && name !== "x-amz-sdk-checksum-algorithm",
  );
  return { ...upstream, headers: { ...Object.fromEntries(kept), "content-md5": createHash("md5").update(content).digest("base64") } };
}
