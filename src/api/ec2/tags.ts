/** CreateTags, DeleteTags, DescribeTags: of all that has an id here, nodes and their volumes too. */
import type { CreateTagsRequest, DeleteTagsRequest, DescribeTagsRequest, TagDescription } from "@aws-sdk/client-ec2";
import { AwsError } from "../../aws/errors.ts";
import { findResource, type Kind, listResources } from "../../store/ec2-resources.ts";
import { putResourceTags, removeResourceTags, resourceTags } from "../../store/ec2-tags.ts";
import { dhcpOptionsId } from "../../store/ec2-vpcs.ts";
import type { Db } from "../../store/store.ts";
import type { Ec2Context, Ec2Request } from "./context.ts";
import { checkForm, invalidValue, notFound, type Thing, thingOf } from "./errors.ts";
import { select } from "./listing.ts";
import { checkTags } from "./tags-input.ts";

/** Throws where nothing has this id. */
async function theThing(db: Db, request: Ec2Request, id: string): Promise<Thing> {
  const thing = thingOf(id);
  if (!thing) throw new AwsError("InvalidID", `The ID '${id}' is not valid`);
  checkForm(thing, id);
  if (await isThere(db, request, thing, id)) return thing;
  throw notFound(thing, [id]);
}

async function isThere(db: Db, request: Ec2Request, thing: Thing, id: string): Promise<boolean> {
  switch (thing) {
    case "security-group-rule":
      return (await listResources(db, request, "security-group")).some(({ spec }) => spec.rules.some((rule) => rule.id === id));
    case "dhcp-options":
      return id === (await dhcpOptionsId(db, request));
    case "instance":
    case "volume":
    case "network-interface":
    case "image":
      return false;
    default:
      return (await findResource(db, request, thing satisfies Kind, id)) !== undefined;
  }
}

/** All or none. */
export async function CreateTags({ store }: Ec2Context, input: CreateTagsRequest, request: Ec2Request) {
  await store.transaction(async (tx) => {
    const known = await resourceTags(tx.db, request);
    for (const id of input.Resources ?? []) {
      await theThing(tx.db, request, id);
      checkTags(input.Tags ?? [], known.get(id));
      await putResourceTags(tx, request, id, input.Tags ?? []);
    }
  });
}

/** Without Tags: all of a resource's. With a value: only where the tag has it. */
export async function DeleteTags({ store }: Ec2Context, input: DeleteTagsRequest, request: Ec2Request) {
  await store.transaction(async (tx) => {
    for (const { Key = "" } of input.Tags ?? [])
      if (/^aws:/i.test(Key))
        throw invalidValue(`Value ( ${Key} ) for parameter key is invalid. Tag keys starting with 'aws:' are reserved for internal use`);
    for (const id of input.Resources ?? []) {
      await theThing(tx.db, request, id);
      await removeResourceTags(tx, request, id, input.Tags?.length ? input.Tags : undefined);
    }
  });
}

export async function DescribeTags({ store }: Ec2Context, input: DescribeTagsRequest, request: Ec2Request) {
  const all = [...(await resourceTags(store.db, request))].flatMap(([id, tags]) =>
    tags.map(({ Key = "", Value = "" }): Required<TagDescription> => ({
      ResourceId: id,
      ResourceType: thingOf(id) ?? "instance",
      Key,
      Value,
    })),
  );
  const { items, NextToken } = select(all, input, {
    thing: "instance",
    id: ({ ResourceId }) => ResourceId,
    tags: ({ Key, Value }) => [{ Key, Value }],
    position: ({ ResourceId, Key }) => [ResourceId, Key],
    filters: {
      key: ({ Key }) => Key,
      value: ({ Value }) => Value,
      "resource-id": ({ ResourceId }) => ResourceId,
      "resource-type": ({ ResourceType }) => ResourceType,
    },
  });
  return { Tags: items, NextToken };
}
