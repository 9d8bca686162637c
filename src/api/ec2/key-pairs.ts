/** Key pairs. A private key is answered once, and kept nowhere. What a cluster's key pair opens: nothing yet, as nodes have no sshd. */
import type {
  CreateKeyPairRequest,
  DeleteKeyPairRequest,
  DescribeKeyPairsRequest,
  ImportKeyPairRequest,
  KeyPairInfo,
} from "@aws-sdk/client-ec2";
import { AwsError } from "../../aws/errors.ts";
import { deleteResource, findKeyPair, insertResource, type KeyPair, type KeyPairSpec, listResources } from "../../store/ec2-resources.ts";
import { putResourceTags, resourceTags } from "../../store/ec2-tags.ts";
import type { Ec2Context, Ec2Request } from "./context.ts";
import { invalidValue, missing, takeOnly, unsupported } from "./errors.ts";
import { resourceListing, select } from "./listing.ts";
import { makeKey, readPublicKey } from "./ssh-keys.ts";
import { newTags } from "./tags-input.ts";

const longestName = 255;

function checkName(name: string | undefined): string {
  if (!name) throw missing("KeyName");
  if (name.length > longestName || !/^[\x20-\x7e]+$/.test(name) || name.trim() !== name)
    throw invalidValue(
      `Value (${name}) for parameter KeyName is invalid. It may have ${longestName} ASCII characters, and no space at its ends.`,
    );
  return name;
}

export async function CreateKeyPair(context: Ec2Context, input: CreateKeyPairRequest, request: Ec2Request) {
  takeOnly("CreateKeyPair", input, ["KeyName", "KeyType", "KeyFormat", "TagSpecifications"]);
  const name = checkName(input.KeyName);
  const type = input.KeyType ?? "rsa";
  if (input.KeyFormat === "ppk")
    throw unsupported("CreateKeyPair: KeyFormat ppk is not in Howdah. Use pem, which PuTTYgen converts, or import a key of your own.");
  const tags = newTags("key-pair", input.TagSpecifications);
  const { privateKey, ...made } = await makeKey(type, name);
  const key = await insert(context, { name, type, ...made }, tags, request);
  return { KeyPairId: key.id, KeyName: name, KeyFingerprint: made.fingerprint, KeyMaterial: privateKey, Tags: tags };
}

export async function ImportKeyPair(context: Ec2Context, input: ImportKeyPairRequest, request: Ec2Request) {
  takeOnly("ImportKeyPair", input, ["KeyName", "PublicKeyMaterial", "TagSpecifications"]);
  const name = checkName(input.KeyName);
  const tags = newTags("key-pair", input.TagSpecifications);
  if (!input.PublicKeyMaterial) throw missing("PublicKeyMaterial");
  const read = readPublicKey(Buffer.from(input.PublicKeyMaterial), name);
  if (!read)
    throw new AwsError("InvalidKey.Format", "Key is not in valid OpenSSH public key format: RSA of 1024, 2048 or 4096 bits, or ED25519.");
  const key = await insert(context, { name, ...read }, tags, request);
  return { KeyPairId: key.id, KeyName: name, KeyFingerprint: read.fingerprint, Tags: tags };
}

async function insert(
  { store, ids }: Ec2Context,
  spec: KeyPairSpec,
  tags: ReturnType<typeof newTags>,
  request: Ec2Request,
): Promise<KeyPair> {
  return store.transaction(async (tx) => {
    if (await findKeyPair(tx.db, request, spec.name))
      throw new AwsError("InvalidKeyPair.Duplicate", `The keypair already exists: '${spec.name}'`);
    const key = await insertResource(tx, request, "key-pair", { id: ids.ec2("key"), vpcId: null, spec });
    await putResourceTags(tx, request, key.id, tags);
    return key;
  });
}

export async function DescribeKeyPairs({ store }: Ec2Context, input: DescribeKeyPairsRequest, request: Ec2Request) {
  const tags = await resourceTags(store.db, request);
  const listing = resourceListing(
    "key-pair",
    {
      "key-pair-id": ({ id }) => id,
      "key-name": ({ spec }) => spec.name,
      fingerprint: ({ spec }) => spec.fingerprint,
    },
    tags,
  );
  const all = await listResources(store.db, request, "key-pair");
  const byName = (input.KeyNames ?? []).map((name) => {
    const key = all.find(({ spec }) => spec.name === name);
    if (!key) throw new AwsError("InvalidKeyPair.NotFound", `The key pair '${name}' does not exist`);
    return key.id;
  });
  const { items } = select(all, { Filters: input.Filters, ids: [...byName, ...(input.KeyPairIds ?? [])] }, listing);
  const shape = ({ id, spec, createdAt }: KeyPair): KeyPairInfo => ({
    KeyPairId: id,
    KeyName: spec.name,
    KeyType: spec.type,
    KeyFingerprint: spec.fingerprint,
    CreateTime: new Date(createdAt),
    PublicKey: input.IncludePublicKey ? spec.publicKey : undefined,
    Tags: tags.get(id) ?? [],
  });
  return { KeyPairs: items.map(shape) };
}

/** Of one that is not there, too: EC2 says nothing of it. Clusters keep the name that they were made with. */
export async function DeleteKeyPair({ store }: Ec2Context, input: DeleteKeyPairRequest, request: Ec2Request) {
  if (!input.KeyName && !input.KeyPairId) throw missing("KeyName");
  return store.transaction(async (tx) => {
    const keys = await listResources(tx.db, request, "key-pair");
    const key = keys.find(({ id, spec }) => (input.KeyPairId ? id === input.KeyPairId : spec.name === input.KeyName));
    if (key) await deleteResource(tx, key);
    return key ? { Return: true, KeyPairId: key.id } : { Return: true };
  });
}
