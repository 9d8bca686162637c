/**
 * Makes the folders that a user named for Spark's event logs. The master's agent runs it until it ends with 0. Where it cannot be made for good (there
 * is no such bucket), it ends well all the same: the application that needs the folder says so itself.
 *
 * Usage: node event-log-folder.ts http://MASTER:9870 /path/in/hdfs|s3://bucket/prefix …
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createS3, NoSuchObject } from "../../agent/s3.ts";

const [webHdfs, ...folders] = process.argv.slice(2);
if (!webHdfs || folders.length === 0) throw new Error("usage: event-log-folder.ts http://MASTER:9870 FOLDER …");

/** Of the node, as every AWS client on it has it: src/agent/context.ts. */
function variable(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set`);
  return value;
}

const s3 = createS3({
  region: process.env.AWS_REGION ?? "us-east-1",
  endpoint: () => variable("AWS_ENDPOINT_URL"),
  async credentials() {
    const authorization = readFileSync(variable("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"), "utf8").trim();
    const answer = await fetch(variable("AWS_CONTAINER_CREDENTIALS_FULL_URI"), {
      headers: { authorization },
      signal: AbortSignal.timeout(10_000),
    });
    if (!answer.ok) throw new Error(`no credentials: ${answer.status}`);
    const given = (await answer.json()) as { AccessKeyId: string; SecretAccessKey: string; Token?: string };
    return {
      accessKeyId: given.AccessKeyId,
      secretAccessKey: given.SecretAccessKey,
      ...(given.Token ? { sessionToken: given.Token } : {}),
    };
  },
});

/** A folder is an empty object whose name ends with a slash, as S3A makes them; a bucket is a folder already. */
async function makeInS3(folder: string): Promise<void> {
  const uri = `${folder.replace(/\/+$/, "")}/`;
  if (/^s3[an]?:\/\/[^/]+\/$/.test(uri)) return;
  await s3.put(uri, "/dev/null", 0, createHash("sha256").digest("hex"));
}

async function makeInHdfs(folder: string): Promise<void> {
  const path = folder.split("/").map(encodeURIComponent).join("/");
  const call = (method: "GET" | "PUT", query: Record<string, string>) =>
    fetch(`${webHdfs}/webhdfs/v1${path}?${new URLSearchParams({ "user.name": "hadoop", ...query })}`, {
      method,
      signal: AbortSignal.timeout(10_000),
    });
  if ((await call("GET", { op: "GETFILESTATUS" })).status === 200) return;
  const made = await call("PUT", { op: "MKDIRS", permission: "1777" });
  if (!made.ok) throw new Error(`HDFS answered ${made.status} to MKDIRS ${folder}: ${await made.text()}`);
}

for (const folder of folders) {
  if (folder.startsWith("/")) await makeInHdfs(folder);
  else if (/^s3[an]?:/.test(folder))
    await makeInS3(folder).catch((error: Error) => {
      if (!(error instanceof NoSuchObject) && !/answered 4\d\d/.test(error.message)) throw error;
      console.error(`${folder} could not be made: ${error.message}`);
    });
}
