/** Tags as requests give them. Limits: Amazon EC2 User Guide, "Tag your Amazon EC2 resources". */
import type { Tag, TagSpecification } from "@aws-sdk/client-ec2";
import { AwsError } from "../../aws/errors.ts";
import type { Kind } from "../../store/ec2-resources.ts";
import { invalidValue } from "./errors.ts";

const mostTags = 50;
const longestKey = 127;
const longestValue = 256;

/** `already`: those that the resource has. Throws InvalidParameterValue, TagLimitExceeded. */
export function checkTags(tags: readonly Tag[], already: readonly Tag[] = []): void {
  for (const { Key = "", Value = "" } of tags) {
    if (Key === "") throw invalidValue("Tag key cannot be null or empty.");
    if (/^aws:/i.test(Key))
      throw invalidValue(`Value ( ${Key} ) for parameter key is invalid. Tag keys starting with 'aws:' are reserved for internal use`);
    if (Key.length > longestKey) throw invalidValue(`Tag key exceeds the maximum length of ${longestKey} characters`);
    if (Value.length > longestValue) throw invalidValue(`Tag value exceeds the maximum length of ${longestValue} characters`);
  }
  const own = [...already, ...tags].filter(({ Key = "" }) => !/^aws:/i.test(Key));
  if (new Set(own.map(({ Key }) => Key)).size > mostTags)
    throw new AwsError("TagLimitExceeded", `The maximum number of Tags for a resource has been reached: ${mostTags}.`);
}

/** Tags of what a Create operation makes. */
export function newTags(kind: Kind | "security-group-rule", specifications: readonly TagSpecification[] | undefined): Tag[] {
  const tags = [];
  for (const { ResourceType, Tags = [] } of specifications ?? []) {
    if (ResourceType !== kind) throw invalidValue(`'${ResourceType ?? ""}' is not a valid taggable resource type for this operation.`);
    tags.push(...Tags);
  }
  const keys = tags.map(({ Key }) => Key);
  const twice = keys.find((key, index) => keys.indexOf(key) < index);
  if (twice !== undefined) throw invalidValue(`Duplicate tag key '${twice}' specified.`);
  checkTags(tags);
  return tags;
}
