/** Errors as AWS clients know them. Whoever answers a request throws an AwsError; the protocol decides what it looks like on the wire. */

/** `fields` are further members of the error's body, such as EMR's ErrorCode. */
export class AwsError extends Error {
  readonly code: string;
  readonly status: number;
  readonly fields: Record<string, string>;

  /** `status` is the HTTP status. Below 500 the client is at fault. */
  constructor(code: string, message: string, status = 400, fields: Record<string, string> = {}) {
    super(message);
    this.name = code;
    this.code = code;
    this.status = status;
    this.fields = fields;
  }
}

/** EMR's answer to nearly every request that it understands but cannot carry out. ErrorCode is EMR's own finer code, where it has one. */
export function invalidRequest(message: string, errorCode?: string): AwsError {
  return new AwsError("InvalidRequestException", message, 400, errorCode ? { ErrorCode: errorCode } : {});
}

/** A member is missing, or breaks a length, a pattern, a range or a set of values of the model. */
export function validationException(message: string): AwsError {
  return new AwsError("ValidationException", message);
}

/** What services of JSON call it; query services have one name for it. */
const unsupported: Readonly<Record<string, string>> = {
  cloudtrail: "UnsupportedOperationException",
  glue: "OperationNotSupportedException",
};

/** An operation of the model that Howdah does not carry out, in a type that every client of the service handles. `instead`: what to do until it does. */
export function notBuiltYet(signingName: string, operation: string, instead?: string): AwsError {
  const message = `${operation} is not there yet in Howdah.${instead ? ` ${instead}` : ""}`;
  if (signingName === "elasticmapreduce") return invalidRequest(message, "NotBuiltYet");
  return new AwsError(unsupported[signingName] ?? "UnsupportedOperation", message);
}

/** A fault of Howdah's own. The reason is in the log under the request's id, never in the answer. */
export function internalError(): AwsError {
  return new AwsError("InternalFailure", "Howdah met an internal error. Its log has the reason, under this request's id.", 500);
}

/** Nothing of the request has been done. Clients try it again by themselves. */
export function noRoom(): AwsError {
  return new AwsError(
    "ServiceUnavailable",
    "The disk of Howdah's data folder takes no more: it is full, or over a quota. Nothing was changed. Free some space there, and the same request will do; Howdah need not be started again.",
    503,
  );
}
