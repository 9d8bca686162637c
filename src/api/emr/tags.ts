/** AddTags and RemoveTags, on clusters. (Studios are not there yet.) */
import type { AddTagsInput, RemoveTagsInput, Tag } from "@aws-sdk/client-emr";
import { invalidRequest } from "../../aws/errors.ts";
import type { Db } from "../../store/store.ts";
import { putTags, removeTags, tagsOf } from "../../store/tags.ts";
import type { EmrContext, EmrRequest } from "./context.ts";
import { theCluster } from "./lookup.ts";

const mostTags = 50;
const [longestKey, longestValue] = [128, 256];
/** "Any alphabetic character in any language, any numeric character, white spaces, invisible separators, and _ . : / = + - @" */
const allowed = /^[\p{L}\p{M}\p{N}\p{Z}\p{Cf}\s_.:/=+\-@]*$/u;

/** Also used by RunJobFlow. Rules: https://docs.aws.amazon.com/emr/latest/ManagementGuide/emr-plan-tags-restrictions.html */
export function checkTags(tags: readonly Tag[], already: readonly Tag[] = []): void {
  for (const { Key = "", Value = "" } of tags) {
    if (Key === "" || Key.length > longestKey)
      throw invalidRequest(`Invalid tag key: '${Key}'. Tag keys must be between 1 and ${longestKey} characters in length.`);
    if (Value.length > longestValue)
      throw invalidRequest(`Invalid tag value: '${Value}' of '${Key}'. Tag values must be at most ${longestValue} characters in length.`);
    for (const [what, text] of [
      ["key", Key],
      ["value", Value],
    ] as const) {
      if (/^aws:/i.test(text)) throw invalidRequest(`Invalid tag ${what}: '${text}' begins with aws:, which is reserved.`);
      if (!allowed.test(text))
        throw invalidRequest(`Invalid tag ${what}: '${text}'. Letters, digits, white space and _ . : / = + - @ are allowed.`);
    }
  }
  const keys = new Set([...already, ...tags].map(({ Key }) => Key));
  if (keys.size > mostTags) throw invalidRequest(`Tags: a cluster may have at most ${mostTags}, and would have ${keys.size}.`);
}

export async function AddTags({ store }: EmrContext, input: AddTagsInput, request: EmrRequest) {
  return store.transaction(async (tx) => {
    const cluster = await theTaggable(tx.db, request, input);
    checkTags(input.Tags ?? [], await tagsOf(tx.db, cluster.id));
    await putTags(tx, cluster.id, input.Tags ?? []);
    return {};
  });
}

/** A key that the cluster does not have is no error. */
export async function RemoveTags({ store }: EmrContext, input: RemoveTagsInput, request: EmrRequest) {
  return store.transaction(async (tx) => {
    const cluster = await theTaggable(tx.db, request, input);
    const reserved = input.TagKeys?.find((key) => /^aws:/i.test(key));
    if (reserved !== undefined) throw invalidRequest(`Invalid tag key: '${reserved}' begins with aws:, which is reserved.`);
    await removeTags(tx, cluster.id, input.TagKeys ?? []);
    return {};
  });
}

/** A cluster that is only about to end still takes tags. ClusterId is for tags of sessions, which are not there. */
async function theTaggable(db: Db, request: EmrRequest, input: { ResourceId?: string | undefined; ClusterId?: string | undefined }) {
  if (input.ClusterId !== undefined)
    throw invalidRequest("ClusterId is for tags of sessions, which are not in Howdah: name the cluster in ResourceId.");
  const cluster = await theCluster(db, request, input.ResourceId);
  if (cluster.phase === "ended") throw invalidRequest("Tags cannot be modified on terminated clusters.");
  return cluster;
}
