/** AddTags and RemoveTags, on clusters. (Studios are not there yet.) */
import type { AddTagsInput, RemoveTagsInput, Tag } from "@aws-sdk/client-emr";
import { validationException } from "../../aws/errors.ts";
import { putTags, removeTags, tagsOf } from "../../store/tags.ts";
import type { EmrContext, EmrRequest } from "./context.ts";
import { theLivingCluster } from "./lookup.ts";

const mostTags = 50;

/** Also used by RunJobFlow. Limits: https://docs.aws.amazon.com/emr/latest/ManagementGuide/emr-plan-tags-restrictions.html */
export function checkTags(tags: readonly Tag[], already: readonly Tag[] = []): void {
  for (const { Key, Value } of tags) {
    if (!Key || Key.length > 128) throw validationException(`Tags: the key '${Key ?? ""}' must have 1 to 128 characters.`);
    if ((Value ?? "").length > 256) throw validationException(`Tags: the value of '${Key}' must have at most 256 characters.`);
    if (/^aws:/i.test(Key)) throw validationException(`Tags: the key '${Key}' begins with aws:, which is reserved.`);
  }
  const keys = new Set([...already, ...tags].map(({ Key }) => Key));
  if (keys.size > mostTags) throw validationException(`Tags: a cluster may have at most ${mostTags}.`);
}

export async function AddTags({ store }: EmrContext, input: AddTagsInput, request: EmrRequest) {
  return store.transaction(async (tx) => {
    const cluster = await theLivingCluster(tx.db, request, input.ResourceId);
    checkTags(input.Tags ?? [], await tagsOf(tx.db, cluster.id));
    await putTags(tx, cluster.id, input.Tags ?? []);
    return {};
  });
}

export async function RemoveTags({ store }: EmrContext, input: RemoveTagsInput, request: EmrRequest) {
  return store.transaction(async (tx) => {
    const cluster = await theLivingCluster(tx.db, request, input.ResourceId);
    await removeTags(tx, cluster.id, input.TagKeys ?? []);
    return {};
  });
}
