/**
 * EC2's instance metadata, as scripts ask for it: http://169.254.169.254/latest/meta-data/instance-id. The preload library leads connections there to
 * the node's own address. No credentials are there: every user of the machine can ask.
 */
export interface MetadataAnswer {
  status: number;
  text: string;
}

/** `metadata`: paths below /latest/ and their texts. A path that only begins others lists them, as on EC2. Tokens of IMDSv2 are given to whoever asks. */
export function answerMetadata(metadata: Record<string, string>, method: string, path: string): MetadataAnswer {
  const name = path.replace(/\?.*/, "").replace(/^\/latest\//, "");
  if (method === "PUT") return name === "api/token" ? { status: 200, text: "howdah" } : { status: 405, text: "" };
  const found = [name, name.replace(/\/$/, "")].find((one) => Object.hasOwn(metadata, one));
  if (found !== undefined) return { status: 200, text: metadata[found]! };
  const folder = name.replace(/\/?$/, "/");
  const below = Object.keys(metadata).filter((one) => one.startsWith(folder));
  const next = (one: string) => /^[^/]+\/?/.exec(one.slice(folder.length))![0];
  return below.length > 0 ? { status: 200, text: [...new Set(below.map(next))].join("\n") } : { status: 404, text: "404 - Not Found" };
}
