/** What each kind of service calls a refused signature. Source: AWS's common errors, S3's error responses, and what their clients look for. */
import { AwsError } from "./errors.ts";
import type { RefusalKind, SignatureRefusal } from "./sigv4-verify.ts";

/** JSON services, query services (STS, IAM), EC2, and S3. */
export type Dialect = "json" | "query" | "ec2" | "s3";

type Row = [code: string, status: number, message?: string];

const invalidToken = "The security token included in the request is invalid.";
const expiredToken = "The security token included in the request is expired";
const doesNotMatch =
  "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.";

/** A row's message stands where the refusal has none of its own. */
const json: Record<RefusalKind, Row> = {
  missing: ["MissingAuthenticationTokenException", 400, "Missing Authentication Token"],
  unsupported: ["IncompleteSignatureException", 400, "Howdah reads AWS4-HMAC-SHA256 signatures only."],
  malformed: ["IncompleteSignatureException", 400],
  "malformed-query": ["IncompleteSignatureException", 400],
  "unknown-key": ["UnrecognizedClientException", 400, invalidToken],
  "bad-token": ["UnrecognizedClientException", 400, invalidToken],
  "expired-token": ["ExpiredTokenException", 400, expiredToken],
  mismatch: ["InvalidSignatureException", 400, doesNotMatch],
  expired: ["InvalidSignatureException", 400],
  early: ["InvalidSignatureException", 400],
  "url-expired": ["InvalidSignatureException", 400],
  "unsigned-header": ["InvalidSignatureException", 400, "X-Amz-Target must be a 'SignedHeader' in the AWS Authorization."],
  "bad-uri": ["SerializationException", 400, "The request's path or query is not percent-encoded UTF-8."],
};

const query: Record<RefusalKind, Row> = {
  ...json,
  missing: ["MissingAuthenticationToken", 403, "Request is missing Authentication Token"],
  unsupported: ["IncompleteSignature", 400, "Howdah reads AWS4-HMAC-SHA256 signatures only."],
  malformed: ["IncompleteSignature", 400],
  "malformed-query": ["IncompleteSignature", 400],
  "unknown-key": ["InvalidClientTokenId", 403, invalidToken],
  "bad-token": ["InvalidClientTokenId", 403, invalidToken],
  "expired-token": ["ExpiredToken", 403, expiredToken],
  mismatch: ["SignatureDoesNotMatch", 403, doesNotMatch],
  expired: ["SignatureDoesNotMatch", 403],
  early: ["SignatureDoesNotMatch", 403],
  "url-expired": ["SignatureDoesNotMatch", 403],
  "bad-uri": ["MalformedQueryString", 400, "The request's path or query is not percent-encoded UTF-8."],
};

const authFailure: Row = ["AuthFailure", 401, "AWS was not able to validate the provided access credentials"];

const ec2: Record<RefusalKind, Row> = {
  ...query,
  "unknown-key": authFailure,
  "bad-token": authFailure,
  mismatch: authFailure,
  expired: ["RequestExpired", 400],
  early: ["RequestExpired", 400],
  "url-expired": ["RequestExpired", 400],
};

const skewed: Row = ["RequestTimeTooSkewed", 403, "The difference between the request time and the current time is too large."];

const s3: Record<RefusalKind, Row> = {
  missing: ["AccessDenied", 403, "Access Denied"],
  unsupported: ["InvalidRequest", 400, "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256."],
  malformed: ["AuthorizationHeaderMalformed", 400],
  "malformed-query": ["AuthorizationQueryParametersError", 400],
  "unknown-key": ["InvalidAccessKeyId", 403, "The AWS Access Key Id you provided does not exist in our records."],
  "bad-token": ["InvalidToken", 400, "The provided token is malformed or otherwise invalid."],
  "expired-token": ["ExpiredToken", 400, "The provided token has expired."],
  mismatch: [
    "SignatureDoesNotMatch",
    403,
    "The request signature we calculated does not match the signature you provided. Check your key and signing method.",
  ],
  expired: skewed,
  early: skewed,
  "url-expired": ["AccessDenied", 403, "Request has expired"],
  "unsigned-header": ["AccessDenied", 403, "There were headers present in the request which were not signed"],
  "bad-uri": ["InvalidURI", 400, "Couldn't parse the specified URI."],
};

const tables = { json, query, ec2, s3 };

/** S3 has one fixed text for each of its errors but the malformed ones; the others say in the text what was wrong. */
export function refusalError(refusal: SignatureRefusal, dialect: Dialect): AwsError {
  const [code, status, message] = tables[dialect][refusal.kind];
  const own = dialect === "s3" ? (message ?? refusal.message) : refusal.message || message || code;
  return new AwsError(code, own, status, dialect === "s3" ? refusal.fields : {});
}
