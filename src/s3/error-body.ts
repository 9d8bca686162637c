/** S3's errors on the wire. */
import type { AwsError } from "../aws/errors.ts";
import { escapeXml } from "../aws/xml.ts";

/** `<Error>` as S3 writes it. `resource` is the path asked for. */
export function s3ErrorBody(error: AwsError, resource: string, requestId: string): string {
  const elements: [string, string][] = [
    ["Code", error.code],
    ["Message", error.message],
    ...Object.entries(error.fields),
    ["Resource", resource],
    ["RequestId", requestId],
  ];
  const inner = elements.map(([name, value]) => `<${name}>${escapeXml(value)}</${name}>`).join("");
  return `<?xml version="1.0" encoding="UTF-8"?>\n<Error>${inner}</Error>`;
}
