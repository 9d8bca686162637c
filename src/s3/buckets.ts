/** Buckets that are made, listed and deleted: whose they are is written down here, what is in them is the S3 server's. */
import type { IncomingMessage } from "node:http";
import type { BucketFacts } from "../access/bucket-facts.ts";
import { AwsError } from "../aws/errors.ts";
import type { BucketChange } from "../store/buckets.ts";
import { ask } from "./exchange.ts";
import type { S3Server } from "./upstream.ts";

/** `change` resolves when it is on disk. */
export interface Buckets extends BucketFacts {
  change(change: BucketChange): Promise<void>;
}

/** Making and deleting of a bucket come one after the other: what is written down is of the one that is there. */
const busy = new Map<string, Promise<unknown>>();

async function oneByOne<T>(bucket: string, work: () => Promise<T>): Promise<T> {
  const before = busy.get(bucket) ?? Promise.resolve();
  const mine = before.then(work, work);
  busy.set(bucket, mine);
  try {
    return await mine;
  } finally {
    if (busy.get(bucket) === mine) busy.delete(bucket);
  }
}

/** Sends the request that makes a bucket. It is the account's before it is there: a crash between leaves a name that the next one takes. */
export async function makeBucket(
  buckets: Buckets,
  server: S3Server,
  name: string,
  accountId: string,
  send: () => Promise<IncomingMessage>,
): Promise<IncomingMessage> {
  return oneByOne(name, async () => {
    const isThere = await exists(server, name);
    if (isThere && buckets.find(name).accountId !== accountId)
      throw new AwsError("BucketAlreadyExists", "The requested bucket name is not available. Select a different name and try again.", 409, {
        BucketName: name,
      });
    if (!isThere) await buckets.change({ kind: "claim", name, accountId });
    const answer = await send();
    if (!isThere && answer.statusCode !== 200) await buckets.change({ kind: "forget", name });
    return answer;
  });
}

/** Sends the request that deletes a bucket; its policy goes with it. */
export async function deleteBucket(buckets: Buckets, name: string, send: () => Promise<IncomingMessage>): Promise<IncomingMessage> {
  return oneByOne(name, async () => {
    const answer = await send();
    if (answer.statusCode === 204 || answer.statusCode === 200) await buckets.change({ kind: "forget", name });
    return answer;
  });
}

export async function exists(server: S3Server, bucket: string): Promise<boolean> {
  const { statusCode } = await ask(server, "HEAD", `/${bucket}`, "");
  if (statusCode >= 500) throw new Error(`the S3 server answers ${statusCode} for the bucket ${bucket}`);
  return statusCode !== 404;
}

export const noSuchBucket = (name: string) =>
  new AwsError("NoSuchBucket", "The specified bucket does not exist", 404, { BucketName: name });

/** ListBuckets' answer, with the account's own only. */
export function ownBuckets(xml: string, facts: BucketFacts, accountId: string): string {
  return xml.replace(/<Bucket>.*?<\/Bucket>/gs, (entry) => {
    const name = /<Name>([^<]*)<\/Name>/.exec(entry)?.[1] ?? "";
    return facts.find(name).accountId === accountId ? entry : "";
  });
}
