/** How each protocol names an operation, carries its input and output, and reports errors. */
import { AwsError } from "./errors.ts";
import { fromJson, type Operation, type Protocol, type Service, toJson, toXml } from "./operations.ts";
import { ec2Style, fromQuery } from "./query.ts";
import { type Problem, shown, sayAll, validate } from "./validate.ts";
import { escapeXml } from "./xml.ts";

/** What a protocol sees of a request. `target` is X-Amz-Target; `parameters` are the query's and, with `form`, the body's. */
export interface Call {
  method: string;
  /** In lower case. */
  contentType: string;
  target: string | undefined;
  form: boolean;
  parameters: URLSearchParams;
  body: Buffer;
}

export interface Answer {
  contentType: string;
  body: string;
}

/** `input` is typed as the operation's input; `unknownMembers` are the paths of members that the model does not have. */
export interface Parsed {
  input: unknown;
  unknownMembers: string[];
}

export interface WireProtocol {
  /** Which operation, by name. Throws AwsError where the service does not have it. */
  operation(service: Service, call: Call): Operation;
  /** Throws AwsError for a malformed or invalid input. */
  parse(service: Service, operation: Operation, call: Call): Parsed;
  answer(service: Service, operation: Operation, output: unknown, requestId: string): Answer;
  /** `service` is unknown where the request did not get that far. */
  error(service: Service | undefined, error: AwsError, requestId: string): Answer;
}

const jsonType = "application/x-amz-json-1.1";

/** Far above what any request needs: deeper ones would be too much for what reads them by recursion. */
const deepest = 100;

/** How deep a JSON text nests at most; of a text that is none, anything. */
function depth(json: Buffer): number {
  let [now, most, quoted] = [0, 0, false];
  for (let i = 0; i < json.length; i++) {
    const byte = json[i];
    if (byte === 0x22) quoted = !quoted;
    else if (quoted) i += byte === 0x5c ? 1 : 0;
    else if (byte === 0x5b || byte === 0x7b) most = Math.max(most, ++now);
    else if (byte === 0x5d || byte === 0x7d) now -= 1;
  }
  return most;
}

const awsJson: WireProtocol = {
  operation(service, { method, contentType, target = "" }) {
    // As AWS does before it looks at anything else.
    if (method !== "POST" || !/^application\/(x-amz-json-1\.[01]|json)\s*(;|$)/.test(contentType))
      throw new AwsError("UnknownOperationException", `A request of this service is a POST of the Content-Type ${jsonType}.`, 404);
    const dot = target.lastIndexOf(".");
    // botocore puts CloudTrail's package before it, the JavaScript SDK does not.
    const operation = `.${target.slice(0, dot)}`.endsWith(`.${service.target}`) ? service.operations.get(target.slice(dot + 1)) : undefined;
    if (!operation)
      throw new AwsError(
        "UnknownOperationException",
        target ? `${target} is not an operation of this service.` : "X-Amz-Target is missing.",
      );
    return operation;
  },
  parse(service, operation, { body }) {
    let document: unknown;
    if (depth(body) > deepest) throw new AwsError("SerializationException", `The request's body nests deeper than ${deepest} levels.`);
    try {
      document = body.length === 0 ? {} : JSON.parse(body.toString("utf8"));
    } catch {
      throw new AwsError("SerializationException", "The request's body is not JSON.");
    }
    const unknownMembers = validate(operation.input, document, service.constraints);
    return { input: fromJson(operation.input, document), unknownMembers };
  },
  answer(_service, operation, output) {
    return { contentType: jsonType, body: toJson(operation.output, output) };
  },
  error(service, error) {
    // Modelled errors of EMR have Message, those that every service has (a bad signature, say) have message.
    const name = service?.errors.get(error.code)?.includes("Message") ? "Message" : "message";
    return { contentType: jsonType, body: JSON.stringify({ __type: error.code, ...error.fields, [name]: error.message }) };
  },
};

const awsQuery: WireProtocol = {
  operation(service, { parameters }) {
    const [action, version] = [parameters.get("Action"), parameters.get("Version")];
    const operation = service.operations.get(action ?? "");
    if (!action) throw new AwsError("MissingAction", "The request must contain the parameter Action");
    if (!operation || version !== service.version)
      throw new AwsError("InvalidAction", `Could not find operation ${action} for version ${version ?? "NO_VERSION_SPECIFIED"}`);
    return operation;
  },
  parse(service, operation, { parameters }) {
    const { input, unknown } = fromQuery(operation.input, parameters);
    validate(operation.input, input, service.constraints, (problems) => new AwsError("ValidationError", sayAll(problems).message));
    return { input, unknownMembers: unknown };
  },
  answer(service, { name, output: schema }, output, requestId) {
    const result = toXml(schema, output, `${name}Result`);
    const metadata = `<ResponseMetadata><RequestId>${requestId}</RequestId></ResponseMetadata>`;
    return { contentType: "text/xml", body: `<${name}Response xmlns="${service.namespace}">${result}${metadata}</${name}Response>` };
  },
  error(service, error, requestId) {
    const type = error.status < 500 ? "Sender" : "Receiver";
    const namespace = service ? ` xmlns="${service.namespace}"` : "";
    const detail = `<Error><Type>${type}</Type><Code>${escapeXml(error.code)}</Code><Message>${escapeXml(error.message)}</Message></Error>`;
    return { contentType: "text/xml", body: `<ErrorResponse${namespace}>${detail}<RequestId>${requestId}</RequestId></ErrorResponse>` };
  },
};

/** EC2's own query protocol. Source: Smithy, "AWS EC2 query protocol"; Amazon EC2 API Reference, "Error codes". */
const ec2Query: WireProtocol = {
  operation(service, { parameters }) {
    const [action, version] = [parameters.get("Action"), parameters.get("Version")];
    if (!action) throw new AwsError("MissingAction", "The request must contain the parameter Action");
    if (version !== service.version)
      throw new AwsError("NoSuchVersion", `The requested version (${version ?? ""}) of service AmazonEC2 does not exist`);
    const operation = service.operations.get(action);
    if (!operation) throw new AwsError("InvalidAction", `The action ${action} is not valid for this web service.`);
    return operation;
  },
  parse(service, operation, { parameters }) {
    const { input, unknown } = fromQuery(operation.input, parameters, ec2Style);
    if (unknown[0] !== undefined) throw new AwsError("UnknownParameter", `The parameter ${unknown[0]} is not recognized`);
    validate(operation.input, input, service.constraints, sayFirst);
    return { input, unknownMembers: [] };
  },
  answer(service, { name, output: schema }, output, requestId) {
    const element = `${name}Response`;
    const id = `<requestId>${requestId}</requestId>`;
    // Operations without an output answer that they have done it.
    const members = schema.isUnitSchema() ? "<return>true</return>" : withinRoot(toXml(schema, output, element));
    return { contentType: "text/xml;charset=UTF-8", body: `<${element} xmlns="${service.namespace}">${id}${members}</${element}>` };
  },
  error(_service, error, requestId) {
    const detail = `<Error><Code>${escapeXml(error.code)}</Code><Message>${escapeXml(error.message)}</Message></Error>`;
    return {
      contentType: "text/xml;charset=UTF-8",
      body: `<Response><Errors>${detail}</Errors><RequestID>${requestId}</RequestID></Response>`,
    };
  },
};

/** What is between the root's tags. */
const withinRoot = (xml: string): string => xml.slice(xml.indexOf(">") + 1, xml.endsWith("/>") ? undefined : xml.lastIndexOf("</"));

/** EC2 names one fault only. */
function sayFirst([problem]: readonly Problem[]): AwsError {
  const { plain, constraint } = problem!;
  if (!("value" in problem!)) return new AwsError("MissingParameter", `The request must contain the parameter ${plain}`);
  return new AwsError(
    "InvalidParameterValue",
    `Value${problem.isSecret ? "" : ` (${shown(problem.value)})`} for parameter ${plain} is invalid. ${constraint}`,
  );
}

export const protocols: Record<Protocol, WireProtocol> = { awsJson1_1: awsJson, awsQuery, ec2Query };
