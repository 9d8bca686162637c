/** The list of a multi-object delete. What goes on to the server is written anew from what was read, so that both read the same keys in it. */
import { AwsError } from "../aws/errors.ts";
import { escapeXml } from "../aws/xml.ts";

export interface Doomed {
  key: string;
  version: string | undefined;
}

export interface DeleteList {
  objects: Doomed[];
  quiet: boolean;
}

/** S3's own limit. */
const mostObjects = 1000;

const malformed = () =>
  new AwsError("MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema");

/** Elements with text, and nothing else of XML: no comments, no CDATA, no entities but the five and numbers. Throws MalformedXML. */
export function readDeleteList(xml: string): DeleteList {
  const list: DeleteList = { objects: [], quiet: false };
  const open: string[] = [];
  let object: Partial<Doomed> | undefined;
  let text = "";
  let from = 0;
  // oxlint-disable-next-line no-control-regex
  if (/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/.test(xml)) throw malformed();
  for (const match of xml.matchAll(/<(\/?)([A-Za-z]+)(?:\s+xmlns=(?:"[^"<&]*"|'[^'<&]*'))?\s*(\/?)>|<\?xml[^?<>]*\?>/g)) {
    text += xml.slice(from, match.index);
    from = match.index + match[0].length;
    if (text.includes("<")) throw malformed();
    const [, closes, name, empty] = match;
    if (name === undefined) {
      if (open.length > 0 || list.objects.length > 0 || text.trim() !== "") throw malformed();
      continue;
    }
    if (!closes) {
      // Between elements there is only space.
      if (text.trim() !== "") throw malformed();
      const path = [...open, name].join("/");
      if (conditions.has(path)) throw new AwsError("NotImplemented", `${name} of a multi-object delete is not there in Howdah.`, 501);
      if (!paths.has(path)) throw malformed();
      // One list, and nothing in it is empty.
      if (empty || (path === "Delete" && list.objects.length > 0)) throw malformed();
      if (path === "Delete/Object") object = {};
      open.push(name);
    } else {
      if (open.pop() !== name) throw malformed();
      const path = [...open, name].join("/");
      const value = unescapeText(text);
      if (path === "Delete/Object/Key") object!.key = value;
      else if (path === "Delete/Object/VersionId") object!.version = value;
      else if (path === "Delete/Quiet") list.quiet = value.trim() === "true";
      else if (path === "Delete/Object") {
        if (!object?.key || text.trim() !== "") throw malformed();
        list.objects.push({ key: object.key, version: object.version });
      } else if (path === "Delete" && text.trim() !== "") throw malformed();
    }
    text = "";
  }
  if (open.length > 0 || xml.slice(from).trim() !== "" || list.objects.length === 0 || list.objects.length > mostObjects) throw malformed();
  return list;
}

const conditions = new Set(["Delete/Object/ETag", "Delete/Object/LastModifiedTime", "Delete/Object/Size"]);
const paths = new Set(["Delete", "Delete/Quiet", "Delete/Object", "Delete/Object/Key", "Delete/Object/VersionId"]);

const entities: Record<string, string> = { lt: "<", gt: ">", amp: "&", quot: '"', apos: "'" };

/** Throws MalformedXML where an entity is none of XML's own. */
export function unescapeText(text: string): string {
  // Lines end as XML has them.
  return text.replace(/\r\n?/g, "\n").replace(/&([^;]{0,10};?)/g, (_, inside: string) => {
    const name = inside.slice(0, -1);
    if (!inside.endsWith(";")) throw malformed();
    if (Object.hasOwn(entities, name)) return entities[name]!;
    const code = /^#(?:x([0-9a-fA-F]+)|(\d+))$/.exec(name);
    const number = code ? parseInt(code[1] ?? code[2]!, code[1] === undefined ? 10 : 16) : NaN;
    if (!isXmlCharacter(number)) throw malformed();
    return String.fromCodePoint(number);
  });
}

const isXmlCharacter = (code: number): boolean =>
  code === 9 ||
  code === 10 ||
  code === 13 ||
  (code >= 32 && code < 0xd800) ||
  (code >= 0xe000 && code < 0xfffe) ||
  (code > 0xffff && code <= 0x10ffff);

export function writeDeleteList({ objects, quiet }: DeleteList): string {
  const inner = objects.map(({ key, version }) => {
    return `<Object><Key>${escapeXml(key).replaceAll("\r", "&#13;")}</Key>${version === undefined ? "" : `<VersionId>${escapeXml(version)}</VersionId>`}</Object>`;
  });
  return `<?xml version="1.0" encoding="UTF-8"?>\n<Delete xmlns="${namespace}">${inner.join("")}<Quiet>${quiet}</Quiet></Delete>`;
}

const namespace = "http://s3.amazonaws.com/doc/2006-03-01/";

/** The server's answer with those that were not asked for because they are not allowed; `answer` is empty where all are such. */
export function withRefused(answer: string, refused: readonly (Doomed & { message?: string })[]): string {
  const errors = refused.map(({ key, version, message = "Access Denied" }) => {
    const versionId = version === undefined ? "" : `<VersionId>${escapeXml(version)}</VersionId>`;
    return `<Error><Key>${escapeXml(key)}</Key>${versionId}<Code>AccessDenied</Code><Message>${escapeXml(message)}</Message></Error>`;
  });
  const end = /<\/DeleteResult>\s*$|<DeleteResult([^>]*)\/>\s*$/.exec(answer);
  const head = end
    ? answer.slice(0, end.index) + (end[1] === undefined ? "" : `<DeleteResult${end[1]}>`)
    : `<?xml version="1.0" encoding="UTF-8"?>\n<DeleteResult xmlns="${namespace}">`;
  return `${head}${errors.join("")}</DeleteResult>`;
}
