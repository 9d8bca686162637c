/** Which service a request at the public port is for, before anything of it is proven. */
import type { IncomingMessage } from "node:http";
import { isForm } from "./unsupported.ts";

/**
 * A signature names its service (the signing name). Without one, only what no API of the control plane looks like is taken for S3; undefined for
 * what is no AWS service's: the agents' link.
 */
export function serviceOf(req: Pick<IncomingMessage, "url" | "method" | "headers">): string | undefined {
  const url = req.url ?? "/";
  if (/^\/_howdah([/?]|$)/.test(url)) return undefined;
  const { authorization } = req.headers;
  const scope = authorization ?? /[?&]X-Amz-Credential=([^&]*)/.exec(url)?.[1]?.replace(/%2f/gi, "/");
  const service = scope && /\/([^/,\s]+)\/aws4_request/.exec(scope)?.[1];
  if (service) return service;
  if (req.headers["x-amz-target"] !== undefined) return unsigned;
  if (req.method === "POST" && isForm(req.headers)) return unsigned;
  return /^\/\?(.*&)?Action=/.test(url) ? unsigned : "s3";
}

/** An API's, but whose is not said. */
const unsigned = "unsigned";
