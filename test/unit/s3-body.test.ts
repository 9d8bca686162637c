import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { signingKey } from "../../src/aws/sigv4.ts";
import type { Verified } from "../../src/aws/sigv4-verify.ts";
import { checkedBody } from "../../src/s3/body.ts";
import { checksums } from "../../src/s3/checksums.ts";
import { decodeChunked } from "../../src/s3/chunked.ts";
import { refuseKey, refuseUnsupported } from "../../src/s3/unsupported.ts";

/** The text in pieces of at most `size` bytes, as a socket may bring it. */
async function* inPieces(whole: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < whole.length; at += size) yield whole.subarray(at, at + size);
}

async function collect(stream: AsyncIterable<Buffer>): Promise<Buffer> {
  const pieces = [];
  for await (const piece of stream) pieces.push(piece);
  return Buffer.concat(pieces);
}

/** From AWS's examples of chunked uploads: 66560 letters in two chunks. */
const scope = { day: "20130524", region: "us-east-1", service: "s3" };
const example = (seed: string) => ({
  key: signingKey("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", scope),
  date: "20130524T000000Z",
  scope,
  seed,
});
const letters = Buffer.alloc(66_560, "a");

function exampleBody(signatures: string[], end: string): Buffer {
  const [first, second, last] = signatures;
  const parts = [
    `10000;chunk-signature=${first}\r\n${"a".repeat(65_536)}\r\n`,
    `400;chunk-signature=${second}\r\n${"a".repeat(1024)}\r\n`,
    `0;chunk-signature=${last}\r\n${end}\r\n`,
  ];
  return Buffer.from(parts.join(""));
}

describe("aws-chunked", () => {
  const plain = {
    seed: "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9",
    body: exampleBody(
      [
        "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648",
        "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497",
        "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9",
      ],
      "",
    ),
  };
  const trailing = {
    seed: "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e",
    body: exampleBody(
      [
        "b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2",
        "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7",
        "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992",
      ],
      "x-amz-checksum-crc32c:sOO8/Q==\r\nx-amz-trailer-signature:d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n",
    ),
  };

  test("AWS's example, in pieces of any size", async () => {
    for (const size of [19, 1000, 65_536, 100_000]) {
      assert.deepEqual(await collect(decodeChunked(inPieces(plain.body, size), example(plain.seed), new Map())), letters);
    }
  });

  test("AWS's example with a signed trailer", async () => {
    const trailers = new Map<string, string>();
    assert.deepEqual(await collect(decodeChunked(inPieces(trailing.body, 999), example(trailing.seed), trailers)), letters);
    assert.deepEqual([...trailers], [["x-amz-checksum-crc32c", "sOO8/Q=="]]);
    const other = Buffer.from(trailing.body.toString().replace("sOO8", "sOO9"));
    await assert.rejects(collect(decodeChunked(inPieces(other, 999), example(trailing.seed), new Map())), {
      code: "SignatureDoesNotMatch",
    });
    const unsigned = Buffer.from(trailing.body.toString().replace(/x-amz-trailer-signature.*\r\n/, ""));
    await assert.rejects(collect(decodeChunked(inPieces(unsigned, 999), example(trailing.seed), new Map())), {
      code: "SignatureDoesNotMatch",
    });
  });

  test("no change of a signed body passes, wherever it is", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat(plain.body.length - 1),
        fc.integer({ min: 1, max: 255 }),
        fc.integer({ min: 2000, max: 70_000 }),
        async (at, bits, size) => {
          const spoilt = Buffer.from(plain.body);
          spoilt[at] = spoilt[at]! ^ bits;
          let decoded: Buffer | undefined;
          try {
            decoded = await collect(decodeChunked(inPieces(spoilt, size), example(plain.seed), new Map()));
          } catch (error) {
            assert.ok(
              ["SignatureDoesNotMatch", "InvalidChunkSizeError", "IncompleteBody"].includes((error as { code: string }).code),
              String(error),
            );
          }
          // What frames the data may be written in more than one way: the data may not change.
          if (decoded) assert.deepEqual(decoded, letters);
        },
      ),
      { numRuns: 100 },
    );
  });

  test("no part of a body passes for the whole", async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(plain.body.length - 1), async (length) => {
        const cut = inPieces(plain.body.subarray(0, length), 8192);
        await assert.rejects(collect(decodeChunked(cut, example(plain.seed), new Map())), { code: "IncompleteBody" });
      }),
      { numRuns: 50 },
    );
    const more = Buffer.concat([plain.body, Buffer.from("x")]);
    await assert.rejects(collect(decodeChunked(inPieces(more, 70_000), example(plain.seed), new Map())), { code: "InvalidChunkSizeError" });
    await assert.rejects(collect(decodeChunked(inPieces(Buffer.alloc(5000, "a"), 100), undefined, new Map())), {
      code: "InvalidChunkSizeError",
    });
  });

  test("unsigned chunks with a trailer", async () => {
    const body = Buffer.from("5\r\nhello\r\n6\r\n world\r\n0\r\nx-amz-checksum-crc32:DUoRhQ==\r\n\r\n");
    const headers = { "x-amz-decoded-content-length": "11", "x-amz-trailer": "x-amz-checksum-crc32" };
    const check = (sent: Buffer, more = {}) =>
      checkedBody(inPieces(sent, 3), { ...headers, ...more }, "STREAMING-UNSIGNED-PAYLOAD-TRAILER", {
        claim: { scope, date: "", signature: "" },
        signingKey: Buffer.alloc(0),
      } as unknown as Verified);
    const checked = check(body);
    assert.equal((await collect(checked.stream)).toString(), "hello world");
    assert.deepEqual([...checked.verified], [["x-amz-checksum-crc32", "DUoRhQ=="]]);
    const without = Buffer.from(body.toString().replace(/x-amz.*\r\n/, ""));
    await assert.rejects(collect(check(without).stream), { code: "MalformedTrailerError" });
    const wrong = Buffer.from(body.toString().replace("world", "w0rld"));
    await assert.rejects(collect(check(wrong).stream), { code: "BadDigest" });
    assert.throws(() => check(body, { "x-amz-trailer": "x-amz-colour" }), { code: "InvalidRequest" });
    assert.throws(() => check(body, { "x-amz-decoded-content-length": undefined }), { code: "MissingContentLength" });
  });
});

test("the last piece of a body is held back until the body is proven", async () => {
  const body = checkedBody(inPieces(Buffer.from("abcdef"), 2), { "content-length": "6" }, "0".repeat(64), {} as Verified);
  const passed: string[] = [];
  await assert.rejects(
    async () => {
      for await (const piece of body.stream) passed.push(piece.toString());
    },
    { code: "XAmzContentSHA256Mismatch" },
  );
  assert.deepEqual(passed, ["ab", "cd"]);
});

test("checksums, by their published check values", () => {
  const expected = { crc32: "cbf43926", crc32c: "e3069283", crc64nvme: "ae8b14860a799888", md5: "25f9e794323b453885f5181f1b624d0b" };
  for (const [name, value] of Object.entries(expected)) {
    const whole = checksums[name]!();
    whole.update(Buffer.from("123456789"));
    assert.equal(whole.digest().toString("hex"), value, name);
    const parts = checksums[name]!();
    for (const text of ["1234", "", "56789"]) parts.update(Buffer.from(text));
    assert.equal(parts.digest().toString("hex"), value, name);
  }
});

const refuse = (method: string, url: string, headers = {}, length = 0) => {
  const [path, query] = url.split("?");
  refuseUnsupported(method, path!, new URLSearchParams(query), headers, length);
};

describe("what the embedded server cannot do", () => {
  const code = "NotImplemented";

  test("is refused", () => {
    for (const key of ["a//b", "a/./b", "../a", "a/..", "%2E%2E/a", "/a"])
      assert.throws(() => refuse("PUT", `/bucket/${key}`), { code }, key);
    assert.throws(() => refuse("PUT", "/bucket/folder/", {}, 1), { code });
    assert.throws(() => refuse("PUT", "/bucket/a", { "x-amz-copy-source": "/other/a%2F%2Fb" }), { code });
    assert.throws(() => refuse("PUT", "/bucket/a", { "x-amz-copy-source": "/other/a", "if-none-match": "*" }), { code });
    assert.throws(() => refuse("PUT", "/bucket/a", { "x-amz-copy-source": "/other/a?versionId=1" }), { code });
    assert.throws(() => refuse("PUT", "/bucket/a", { "x-amz-copy-source": "/other/%zz" }), { code: "InvalidURI" });
    assert.throws(() => refuse("POST", "/bucket/a?uploadId=1", { "x-amz-checksum-crc32": "AAAAAA==" }), { code });
    for (const query of ["versioning", "policy", "tagging", "versionId=1", "partNumber=1"])
      assert.throws(() => refuse("GET", `/bucket/a?${query}`), { code }, query);
    assert.throws(() => refuse("PUT", "/bucket/a", { "content-type": "application/x-www-form-urlencoded; charset=x" }, 1), { code });
    assert.throws(() => refuse("PUT", "/bucket/a", { "x-amz-something-new": "1" }), { code, message: /x-amz-something-new/ });
    assert.throws(() => refuseKey("a//b"), { code });
    for (const name of ["Upper", "a", "under_score", "1.2.3.4", "-a-"])
      assert.throws(() => refuse("PUT", `/${name}`), { code: "InvalidBucketName" }, name);
  });

  test("and all else is let through", () => {
    refuse("PUT", "/bucket");
    refuse("PUT", "/bucket/?x-id=CreateBucket");
    refuse("GET", "/Old_Bucket?list-type=2&prefix=a//b");
    refuse("PUT", "/bucket/folder/");
    refuse(
      "PUT",
      "/bucket/a/.b/..c/d.",
      { "x-amz-meta-colour": "red", "x-amz-acl": "private", "x-amz-storage-class": "STANDARD", "if-none-match": "*" },
      5,
    );
    refuse("PUT", "/bucket/a?partNumber=1&uploadId=x", { "x-amz-checksum-crc32": "AAAAAA==" }, 5);
    refuseKey("a/b");
  });
});
