import assert from "node:assert/strict";
import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync } from "node:crypto";
import { after, before, describe, test } from "node:test";
import * as ec2 from "@aws-sdk/client-ec2";
import { readPublicKey } from "../../src/api/ec2/ssh-keys.ts";
import { ec2World, type Ec2World } from "./ec2-world.ts";

/** Made by OpenSSL; its fingerprint is what `openssl rsa -pubin -outform DER | openssl md5 -c` says. */
const rsa =
  "AAAAB3NzaC1yc2EAAAADAQABAAABAQDIJQ8Mj3IZDk8RwiID1r6048eYvTe4YZ3rBqjhlLhn1iMvQQYk5oRnezNIp9O+vgkxjvPGuoOzdSez1PVxfc9wfkRRWpuRXjKAkvvnssUitJEMXCyAlQZrOrFDVhmhGe3F2Jlo1gfdpuC94ysXTRESLxCRmMugE7EXXTpCxOpaRDSxjtYeiHVlEGcMUWhGqAo43J8/XO5DnbHPPFcEYCFojQTYzSGOxKJCxEjxU1IvPDEa5gTKwWnf+bFHb6APUFvhMdxzyi9OqjatZXAjXHc7ARKA/o6zyubeMJqQVJB7YRejOwSpaHRJs95pD8rTlrvtNfk/PQBAVW2RlC2qh043";
const rsaFingerprint = "e6:f2:a4:5e:62:4c:f2:c9:38:95:29:17:d3:9c:d4:ce";
/** Made by ssh-keygen; its fingerprint is what `ssh-keygen -l` says. */
const ed25519 = "AAAAC3NzaC1lZDI1NTE5AAAAIAzodlhfLf1Xcb7Jc73fLU5vWOlPBinR0G60RHii1DyK";
const ed25519Fingerprint = "YeXtXISndmBe+eD0axBemDgMlyf0e0OZujPMLX6dVX8=";

describe("public keys are read", () => {
  const wrapped = rsa.match(/.{1,70}/g)!.join("\n");
  const der = () => createPublicKey(pemOfRsa()).export({ type: "spki", format: "der" });
  function pemOfRsa(): string {
    // e and n behind the name of the type, each with its length before it.
    const blob = Buffer.from(rsa, "base64");
    const [e, n] = [blob.subarray(15, 18), blob.subarray(23)];
    const key = createPublicKey({ key: { kty: "RSA", e: e.toString("base64url"), n: n.toString("base64url") }, format: "jwk" });
    return key.export({ type: "spki", format: "pem" }) as string;
  }
  const read: [string, Buffer, string, string][] = [
    ["an OpenSSH line", Buffer.from(`ssh-rsa ${rsa} me@home\n`), "rsa", rsaFingerprint],
    ["an OpenSSH line without a comment", Buffer.from(`ssh-ed25519 ${ed25519}`), "ed25519", ed25519Fingerprint],
    [
      "an SSH2 file",
      Buffer.from(
        `---- BEGIN SSH2 PUBLIC KEY ----\nComment: "2048-bit RSA, \\\nof two lines"\nx-a: b\n${wrapped}\n---- END SSH2 PUBLIC KEY ----\n`,
      ),
      "rsa",
      rsaFingerprint,
    ],
    ["PEM", Buffer.from(pemOfRsa()), "rsa", rsaFingerprint],
    ["DER", der(), "rsa", rsaFingerprint],
    ["DER in base64", Buffer.from(der().toString("base64")), "rsa", rsaFingerprint],
  ];
  for (const [what, material, type, fingerprint] of read)
    test(what, () => {
      const key = readPublicKey(material, "name");
      assert.deepEqual([key?.type, key?.fingerprint], [type, fingerprint]);
      assert.equal(key?.publicKey, `ssh-${type} ${type === "rsa" ? rsa : ed25519} name`);
    });

  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const unread: [string, Buffer][] = [
    ["nothing", Buffer.alloc(0)],
    ["no key", Buffer.from("ssh-rsa AAAA me")],
    ["a key cut short", Buffer.from(`ssh-rsa ${rsa.slice(0, 100)} me`)],
    ["a curve that EC2 does not take", Buffer.from(publicKey.export({ type: "spki", format: "pem" }) as string)],
    ["a private key", Buffer.from(privateKey.export({ type: "pkcs8", format: "pem" }) as string)],
    [
      "RSA of a size that EC2 does not take",
      Buffer.from(generateKeyPairSync("rsa", { modulusLength: 1536 }).publicKey.export({ type: "spki", format: "pem" }) as string),
    ],
    ["a file of a million headers", Buffer.from(`---- BEGIN SSH2 PUBLIC KEY ----\n${"a:b\\\n".repeat(200_000)}`)],
  ];
  for (const [what, material] of unread)
    test(`but not ${what}`, () => {
      assert.equal(readPublicKey(material, "name"), undefined);
    });
});

describe("key pairs", () => {
  let world: Ec2World;
  before(async () => {
    world = await ec2World();
  });
  after(() => world.close());

  test("an RSA key is made, answered once, and kept nowhere", async () => {
    const made = await world.ec2.send(new ec2.CreateKeyPairCommand({ KeyName: "one" }));
    assert.match(made.KeyMaterial ?? "", /^-----BEGIN RSA PRIVATE KEY-----/);
    const key = createPrivateKey(made.KeyMaterial!);
    assert.equal(key.asymmetricKeyDetails?.modulusLength, 2048);
    const digest = createHash("sha1")
      .update(key.export({ type: "pkcs8", format: "der" }))
      .digest("hex");
    assert.equal(made.KeyFingerprint?.replaceAll(":", ""), digest);
    assert.match(made.KeyFingerprint ?? "", /^([0-9a-f]{2}:){19}[0-9a-f]{2}$/);
    const rows = JSON.stringify(await world.h.store.db.selectFrom("ec2_resources").selectAll().execute());
    assert.ok(rows.includes(made.KeyFingerprint!) && !rows.includes("PRIVATE"));
    const { KeyPairs } = await world.ec2.send(new ec2.DescribeKeyPairsCommand({ KeyPairIds: [made.KeyPairId!], IncludePublicKey: true }));
    const kept = readPublicKey(Buffer.from(KeyPairs![0]!.PublicKey!), "");
    const mine = createPublicKey(key).export({ type: "spki", format: "pem" }) as string;
    assert.equal(kept?.fingerprint, readPublicKey(Buffer.from(mine), "")?.fingerprint);
  });

  test("an ED25519 key has OpenSSH's form", async () => {
    const made = await world.ec2.send(new ec2.CreateKeyPairCommand({ KeyName: "two", KeyType: "ed25519" }));
    const lines = made.KeyMaterial!.trim().split("\n");
    assert.equal(lines.shift(), "-----BEGIN OPENSSH PRIVATE KEY-----");
    assert.equal(lines.pop(), "-----END OPENSSH PRIVATE KEY-----");
    const content = Buffer.from(lines.join(""), "base64");
    const magic = "openssh-key-v1\0none\0";
    assert.equal(content.subarray(0, 15).toString(), magic.slice(0, 15));
    // Behind the public part: two equal check numbers, the public blob again, then seed and public key.
    const { KeyPairs } = await world.ec2.send(new ec2.DescribeKeyPairsCommand({ KeyNames: ["two"], IncludePublicKey: true }));
    const blob = Buffer.from(KeyPairs![0]!.PublicKey!.split(" ")[1]!, "base64");
    const at = content.indexOf(blob, content.indexOf(blob) + blob.length);
    assert.deepEqual(content.subarray(at - 8, at - 4), content.subarray(at - 4, at));
    assert.equal(content.readUInt32BE(at + blob.length), 64);
    const seed = content.subarray(at + blob.length + 4, at + blob.length + 36);
    const pkcs8 = Buffer.concat([Buffer.from("302e020100300506032b657004220420", "hex"), seed]);
    const derived = createPublicKey(createPrivateKey({ key: pkcs8, format: "der", type: "pkcs8" })).export({ format: "jwk" });
    assert.deepEqual(Buffer.from(derived.x!, "base64url"), blob.subarray(-32));
    assert.equal((content.length - content.indexOf(blob) - blob.length - 4) % 8, 0, "padded to blocks of eight");
    assert.equal(made.KeyFingerprint, createHash("sha256").update(blob).digest("base64"));
  });

  const fails = (name: string) => (error: Error) => {
    assert.equal(error.name, name, error.message);
    return true;
  };

  test("names are a region's own, and taken once", async () => {
    const command = new ec2.ImportKeyPairCommand({ KeyName: "three", PublicKeyMaterial: Buffer.from(`ssh-rsa ${rsa} x`) });
    const { KeyFingerprint } = await world.ec2.send(command);
    assert.equal(KeyFingerprint, rsaFingerprint);
    await assert.rejects(world.ec2.send(command), fails("InvalidKeyPair.Duplicate"));
    await assert.rejects(world.ec2.send(new ec2.CreateKeyPairCommand({ KeyName: "three" })), fails("InvalidKeyPair.Duplicate"));
    await world.client(undefined, "eu-west-1").send(command);
    await world.client("999999999999").send(command);
    const others = await world.client("888888888888").send(new ec2.DescribeKeyPairsCommand({}));
    assert.deepEqual(others.KeyPairs, []);
    await world.ec2.send(new ec2.DeleteKeyPairCommand({ KeyName: "three" }));
    await world.ec2.send(new ec2.DeleteKeyPairCommand({ KeyName: "three" }));
    await assert.rejects(world.ec2.send(new ec2.DescribeKeyPairsCommand({ KeyNames: ["three"] })), fails("InvalidKeyPair.NotFound"));
    const left = await world.client(undefined, "eu-west-1").send(new ec2.DescribeKeyPairsCommand({ KeyNames: ["three"] }));
    assert.equal(left.KeyPairs?.length, 1);
  });

  test("what is no key, or no name, is refused", async () => {
    const material = Buffer.from("nonsense");
    await assert.rejects(
      world.ec2.send(new ec2.ImportKeyPairCommand({ KeyName: "x", PublicKeyMaterial: material })),
      fails("InvalidKey.Format"),
    );
    await assert.rejects(world.ec2.send(new ec2.CreateKeyPairCommand({ KeyName: "näme" })), fails("InvalidParameterValue"));
    await assert.rejects(world.ec2.send(new ec2.CreateKeyPairCommand({ KeyName: "" })), fails("MissingParameter"));
    await assert.rejects(world.ec2.send(new ec2.CreateKeyPairCommand({ KeyName: "x", KeyFormat: "ppk" })), fails("UnsupportedOperation"));
    assert.deepEqual(world.faults, []);
  });
});
