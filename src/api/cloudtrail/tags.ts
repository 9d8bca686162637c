/** AddTags, RemoveTags, ListTags, on trails. */
import type { AddTagsRequest, ListTagsRequest, RemoveTagsRequest, Tag } from "@aws-sdk/client-cloudtrail";
import { AwsError } from "../../aws/errors.ts";
import { findTrail, putTrailTags, removeTrailTags, tagsOfTrail, type TrailRow } from "../../store/trails.ts";
import type { Db } from "../../store/store.ts";
import type { CloudTrailContext, CloudTrailRequest } from "./context.ts";
import { arnOf } from "./lookup.ts";

const mostTags = 50;

/** Throws InvalidTagParameterException. Also of CreateTrail. */
export function checkTags(tags: readonly Tag[]): void {
  const keys = tags.map(({ Key = "" }) => Key);
  if (new Set(keys).size < keys.length) throw new AwsError("InvalidTagParameterException", "TagsList: each key may be there once.");
  const reserved = keys.find((key) => /^aws:/i.test(key));
  if (reserved !== undefined)
    throw new AwsError("InvalidTagParameterException", `The tag key '${reserved}' begins with aws:, which is reserved.`);
  tooMany(keys.length);
}

function tooMany(count: number): void {
  if (count > mostTags) throw new AwsError("TagsLimitExceededException", `A trail may have at most ${mostTags} tags.`);
}

/** By ARN only. */
async function theTagged(db: Db, request: CloudTrailRequest, resourceId: string | undefined): Promise<TrailRow> {
  const id = resourceId ?? "";
  if (/^arn:aws:cloudtrail:[a-z0-9-]+:\d{12}:(eventdatastore|channel|dashboard)\//.test(id))
    throw new AwsError("ResourceTypeNotSupportedException", `${id}: trails are what can have tags in Howdah.`);
  if (!id.startsWith("arn:")) throw new AwsError("CloudTrailARNInvalidException", `ResourceId '${id}' is not an ARN.`);
  const trail = await findTrail(db, arnOf(request, id));
  if (trail?.account_id !== request.accountId) throw new AwsError("ResourceNotFoundException", `The trail ${id} is not there.`);
  return trail;
}

export async function AddTags({ store }: CloudTrailContext, input: AddTagsRequest, request: CloudTrailRequest) {
  const tags = input.TagsList ?? [];
  checkTags(tags);
  return store.transaction(async (tx) => {
    const { arn } = await theTagged(tx.db, request, input.ResourceId);
    await putTrailTags(
      tx,
      arn,
      tags.map(({ Key = "", Value }) => ({ Key, Value })),
    );
    tooMany((await tagsOfTrail(tx.db, arn)).length);
    return {};
  });
}

/** Values do not matter. */
export async function RemoveTags({ store }: CloudTrailContext, input: RemoveTagsRequest, request: CloudTrailRequest) {
  return store.transaction(async (tx) => {
    const { arn } = await theTagged(tx.db, request, input.ResourceId);
    await removeTrailTags(
      tx,
      arn,
      (input.TagsList ?? []).map(({ Key = "" }) => Key),
    );
    return {};
  });
}

export async function ListTags({ store }: CloudTrailContext, input: ListTagsRequest, request: CloudTrailRequest) {
  if (input.NextToken) throw new AwsError("InvalidTokenException", "NextToken: all tags are in the first page. Leave it out.");
  const list = [];
  for (const id of input.ResourceIdList ?? []) {
    const { arn } = await theTagged(store.db, request, id);
    list.push({ ResourceId: id, TagsList: await tagsOfTrail(store.db, arn) });
  }
  return { ResourceTagList: list };
}
