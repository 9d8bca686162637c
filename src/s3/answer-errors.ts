/** What the S3 server's answers say went wrong. The audit trail tells what the client is told. Never throws: whatever the server sends, its client gets it. */
import { AwsError } from "../aws/errors.ts";
import { unescapeText } from "./delete-list.ts";

/** The error that an answer's body is; undefined where it is none. */
export const errorOf = (body: string, status: number): AwsError | undefined => (/<Error[\s>]/.test(body) ? read(body, status) : undefined);

/** Of a multi-object delete: why a key was not deleted. */
export function deleteErrorsOf(body: string): Map<string, AwsError> {
  const found = new Map<string, AwsError>();
  for (const [, inside = ""] of body.matchAll(/<Error>([^]*?)<\/Error>/g)) {
    const key = element(inside, "Key");
    const error = read(inside, 200);
    if (key !== undefined && error) found.set(key, error);
  }
  return found;
}

function read(xml: string, status: number): AwsError | undefined {
  const code = element(xml, "Code");
  return code ? new AwsError(code, element(xml, "Message") ?? "", status) : undefined;
}

function element(xml: string, name: string): string | undefined {
  const text = new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1];
  try {
    return text && unescapeText(text);
  } catch {
    return text;
  }
}
