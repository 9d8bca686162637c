/** CreateTags, DeleteTags, DescribeTags: of all that has an id here, nodes and their volumes too. */
import type { CreateTagsRequest, DeleteTagsRequest, DescribeTagsRequest, TagDescription } from "@aws-sdk/client-ec2";
import { AwsError } from "../../aws/errors.ts";
import { findResource, type Kind, listResources } from "../../store/ec2-resources.ts";
import { putResourceTags, removeResourceTags, resourceTags } from "../../store/ec2-tags.ts";
import { dhcpOptionsId } from "../../store/ec2-vpcs.ts";
import type { Tx } from "../../store/store.ts";
import type { Ec2Context, Ec2Request } from "./context.ts";
import { checkForm, invalidValue, notFound, type Thing, thingOf, unsupported } from "./errors.ts";
import { select } from "./listing.ts";
import { allNodes } from "./nodes.ts";
import { checkTags } from "./tags-input.ts";

/** Throws where nothing has this id. */
async function theThing(tx: Tx, request: Ec2Request, id: string): Promise<Thing> {
  const thing = thingOf(id);
  if (!thing) throw new AwsError("InvalidID", `The ID '${id}' is not valid`);
  checkForm(thing, id);
  if (await isThere(tx, request, thing, id)) return thing;
  throw notFound(thing, [id]);
}

async function isThere(tx: Tx, request: Ec2Request, thing: Thing, id: string): Promise<boolean> {
  switch (thing) {
    case "security-group-rule":
      return (await listResources(tx.db, request, "security-group")).some(({ spec }) => spec.rules.some((rule) => rule.id === id));
    case "dhcp-options":
      return id === (await dhcpOptionsId(tx.db, request));
    case "instance":
      return (await allNodes(tx, request)).some(({ instance }) => instance.id === id);
    case "volume":
      return (await allNodes(tx, request)).some(({ volumes }) => volumes.some((volume) => volume.id === id));
    case "network-interface":
    case "image":
      throw unsupported(`Tags of a ${thing.replace("-", " ")} are not in Howdah: ${id}.`);
    default:
      return (await findResource(tx.db, request, thing satisfies Kind, id)) !== undefined;
  }
}

/** All or none. */
export async function CreateTags({ store }: Ec2Context, input: CreateTagsRequest, request: Ec2Request) {
  await store.transaction(async (tx) => {
    const known = await resourceTags(tx.db, request);
    for (const id of input.Resources ?? []) {
      await theThing(tx, request, id);
      checkTags(input.Tags ?? [], known.get(id));
      await putResourceTags(tx, request, id, input.Tags ?? []);
    }
  });
}

/** Without Tags: all of a resource's. With a value: only where the tag has it. What a node has of its cluster is the cluster's to take away. */
export async function DeleteTags({ store }: Ec2Context, input: DeleteTagsRequest, request: Ec2Request) {
  await store.transaction(async (tx) => {
    for (const { Key = "" } of input.Tags ?? [])
      if (/^aws:/i.test(Key))
        throw invalidValue(`Value ( ${Key} ) for parameter key is invalid. Tag keys starting with 'aws:' are reserved for internal use`);
    const nodes = await allNodes(tx, request);
    const known = await resourceTags(tx.db, request);
    for (const id of input.Resources ?? []) {
      await theThing(tx, request, id);
      const node = nodes.find(({ instance, volumes }) => instance.id === id || volumes.some((volume) => volume.id === id));
      const own = known.get(id) ?? [];
      const given = input.Tags?.find(({ Key }) => !own.some((tag) => tag.Key === Key) && node?.given.some((tag) => tag.Key === Key));
      if (given)
        throw unsupported(
          `The tag '${given.Key}' of ${id} is that of its cluster ${node?.cluster.id}: take it away there, with elasticmapreduce:RemoveTags.`,
        );
      await removeResourceTags(tx, request, id, input.Tags?.length ? input.Tags : undefined);
    }
  });
}

export async function DescribeTags({ store }: Ec2Context, input: DescribeTagsRequest, request: Ec2Request) {
  const tags = await resourceTags(store.db, request);
  // Of nodes and their volumes: what they have now; of those that are gone nothing is told.
  for (const id of tags.keys()) if (id.startsWith("i-") || id.startsWith("vol-")) tags.delete(id);
  for (const { instance, tags: own, volumes } of await allNodes(store, request)) {
    tags.set(instance.id, own);
    for (const volume of volumes) tags.set(volume.id, volume.tags);
  }
  const all = [...tags].flatMap(([ResourceId, its]) =>
    its.map(({ Key = "", Value = "" }): Required<TagDescription> => ({ ResourceId, ResourceType: thingOf(ResourceId)!, Key, Value })),
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
