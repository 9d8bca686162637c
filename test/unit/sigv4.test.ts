import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { AccessKey } from "../../src/access/keys.ts";
import { refusalError } from "../../src/aws/refusals.ts";
import { canonicalRequest, sha256Hex, signingKey, signRequest, stringToSign, hmac } from "../../src/aws/sigv4.ts";
import { parsePresigned, readClaim, SignatureRefusal, verifyClaim } from "../../src/aws/sigv4-verify.ts";
import { adminKey } from "./keys.ts";

const emptyHash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/** From AWS's signature version 4 test suite. */
const suite = {
  credentials: { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY" },
  date: "20150830T123600Z",
  scope: { day: "20150830", region: "us-east-1", service: "service" },
  now: new Date("2015-08-30T12:36:00Z"),
};

/** From the examples of the S3 API reference. */
const s3Examples = {
  credentials: { accessKeyId: "AKIAIOSFODNN7EXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY" },
  scope: { day: "20130524", region: "us-east-1", service: "s3" },
  now: new Date("2013-05-24T00:00:00Z"),
};

function suiteSignature(path: string, query: string, headers: [string, string[]][] = []): string {
  const all: [string, string[]][] = [["host", ["example.amazonaws.com"]], ...headers, ["x-amz-date", [suite.date]]];
  const input = { method: "GET", path, query, headers: all.toSorted((a, b) => (a[0] < b[0] ? -1 : 1)), payloadHash: emptyHash };
  const text = stringToSign(suite.date, suite.scope, canonicalRequest(input, "service"));
  return hmac(signingKey(suite.credentials.secretAccessKey, suite.scope), text).toString("hex");
}

const signQuery = (search: string) =>
  signRequest({
    method: "GET",
    url: new URL(`https://examplebucket.s3.amazonaws.com/${search}`),
    headers: {},
    payloadHash: emptyHash,
    ...s3Examples,
    region: "us-east-1",
    service: "s3",
  })["authorization"]!;

describe("AWS's published signatures", () => {
  test("get-vanilla, with each spelling of its path", () => {
    const vanilla = "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31";
    for (const path of ["/", "//", "/./", "/example/..", "/example1/example2/../.."]) assert.equal(suiteSignature(path, ""), vanilla, path);
  });

  test("get-vanilla-query-order-key-case", () => {
    const signature = "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500";
    assert.equal(suiteSignature("/", "Param2=value2&Param1=value1"), signature);
  });

  test("get-header-value-trim and get-header-value-order", () => {
    const trimmed = suiteSignature("/", "", [
      ["my-header1", [" value1"]],
      ["my-header2", [' "a   b   c"']],
    ]);
    assert.equal(trimmed, "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736");
    const ordered = suiteSignature("/", "", [["my-header1", ["value4", "value1", "value3", "value2"]]]);
    assert.equal(ordered, "08c7e5a9acfcfeb3ab6b2185e75ce8b1deb5e634ec47601a50643f830c755c01");
  });

  test("S3: GET of a range", () => {
    const headers = signRequest({
      method: "GET",
      url: new URL("https://examplebucket.s3.amazonaws.com/test.txt"),
      headers: { Range: "bytes=0-9" },
      payloadHash: emptyHash,
      ...s3Examples,
      region: "us-east-1",
      service: "s3",
    });
    assert.match(headers["authorization"]!, /Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41$/);
  });

  test("S3: PUT of an object, and its name with a dollar sign", () => {
    const headers = signRequest({
      method: "PUT",
      url: new URL("https://examplebucket.s3.amazonaws.com/test$file.text"),
      headers: { Date: "Fri, 24 May 2013 00:00:00 GMT", "x-amz-storage-class": "REDUCED_REDUNDANCY" },
      payloadHash: "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072",
      ...s3Examples,
      region: "us-east-1",
      service: "s3",
    });
    assert.match(headers["authorization"]!, /Signature=98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd$/);
  });

  test("S3: lifecycle and list queries", () => {
    assert.match(signQuery("?lifecycle"), /Signature=fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543$/);
    assert.match(signQuery("?max-keys=2&prefix=J"), /Signature=34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7$/);
  });

  test("S3: presigned URL", () => {
    const query =
      "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404";
    const request = { method: "GET", path: "/test.txt", query, rawHeaders: ["Host", "examplebucket.s3.amazonaws.com"] };
    const key: AccessKey = { ...adminKey, ...s3Examples.credentials };
    const verify = (now: string) => verifyClaim(request, readClaim(request), "UNSIGNED-PAYLOAD", () => key, new Date(now));
    assert.equal(verify("2013-05-24T12:00:00Z").key, key);
    assert.throws(() => verify("2013-05-25T00:00:01Z"), { kind: "url-expired" });
    assert.throws(() => verify("2013-05-23T23:00:00Z"), { kind: "early" });
    assert.equal(parsePresigned(query).expires, 86_400);
  });
});

const key: AccessKey = { ...adminKey, accessKeyId: "AKIATEST", secretAccessKey: "s" };
const temporary: AccessKey = { ...key, accessKeyId: "ASIATEST", sessionToken: "tok/en==" };
const now = new Date("2026-01-02T03:04:05Z");
const ended: AccessKey = { ...temporary, accessKeyId: "ASIAENDED", expiresAt: now.getTime() };
const lookup = (id: string) => [key, temporary, ended].find(({ accessKeyId }) => accessKeyId === id);

interface Signed {
  method: string;
  path: string;
  query: string;
  rawHeaders: string[];
}

function sign(who: AccessKey, service: string, url: URL, headers: Record<string, string>, body: string): Signed {
  const { accessKeyId, secretAccessKey, sessionToken } = who;
  const credentials = { accessKeyId, secretAccessKey, sessionToken: sessionToken ?? undefined };
  const signed = signRequest({
    method: "POST",
    url,
    headers,
    payloadHash: sha256Hex(body),
    credentials,
    region: "eu-west-1",
    service,
    now,
  });
  return {
    method: "POST",
    path: url.pathname,
    query: url.search.slice(1),
    rawHeaders: ["Host", url.host, ...Object.entries(signed).flat()],
  };
}

function verify(request: Signed, body: string, at = now) {
  return verifyClaim(request, readClaim(request), sha256Hex(body), lookup, at);
}

const onTheWire = (text: string) => Buffer.from(text, "utf8").toString("latin1");
const signer = (value: string) => sign(key, "s3", new URL("http://127.0.0.1/"), { "x-amz-meta-a": value }, "");
const canonical = (value: string) => stringToSign("d", { day: "", region: "", service: "" }, value);

describe("verifying", () => {
  test("takes what was signed, whatever it is, and nothing else", () => {
    const name = fc.stringMatching(/^x-amz-[a-z]{1,8}$/).filter((text) => !["x-amz-date", "x-amz-target"].includes(text));
    const value = fc.stringMatching(/^[!-~]([ -~]{0,20}[!-~])?$/);
    fc.assert(
      fc.property(
        fc.constantFrom("s3", "elasticmapreduce"),
        fc.constantFrom(key, temporary),
        fc.array(
          fc.string({ unit: "grapheme", maxLength: 8 }).filter((text) => ![".", ".."].includes(text)),
          { maxLength: 4 },
        ),
        fc.dictionary(fc.string({ unit: "grapheme", minLength: 1, maxLength: 5 }), fc.string({ unit: "grapheme", maxLength: 5 }), {
          maxKeys: 4,
        }),
        fc.dictionary(name, value, { maxKeys: 3 }),
        fc.string(),
        (service, who, segments, query, headers, body) => {
          const url = new URL(`http://127.0.0.1:8080/${segments.map(encodeURIComponent).join("/")}`);
          url.search = new URLSearchParams(query).toString();
          const request = sign(who, service, url, headers, body);
          assert.equal(verify(request, body).key, who);
          assert.throws(() => verify(request, `${body}!`), { kind: "mismatch" });
          assert.throws(() => verify({ ...request, path: `${request.path}x` }, body), { kind: "mismatch" });
          assert.throws(() => verify({ ...request, query: request.query ? `${request.query}&a` : "a" }, body), { kind: "mismatch" });
          assert.throws(() => verify({ ...request, method: "PUT" }, body), { kind: "mismatch" });
        },
      ),
      { numRuns: 300 },
    );
  });

  test("never fails in another way than by a refusal", () => {
    fc.assert(
      fc.property(
        fc.string(),
        fc.string({ maxLength: 12 }),
        fc.array(fc.tuple(fc.string(), fc.string())),
        (authorization, date, parameters) => {
          const query = new URLSearchParams([["X-Amz-Algorithm", "AWS4-HMAC-SHA256"], ...parameters]).toString();
          const credential = "AWS4-HMAC-SHA256 Credential=AKIATEST/20260102/r/s3/aws4_request, SignedHeaders=host, Signature=";
          for (const rawHeaders of [
            [],
            ["authorization", authorization],
            ["host", "h", "x-amz-date", date, "authorization", credential + authorization],
          ]) {
            const request = { method: "GET", path: "/", query, rawHeaders };
            assert.throws(() => verify(request, ""), SignatureRefusal);
          }
        },
      ),
    );
  });

  test("checks the session token, the time and the day", () => {
    const url = new URL("http://127.0.0.1/");
    const stolen = sign({ ...temporary, sessionToken: "other" }, "s3", url, {}, "");
    assert.throws(() => verify(stolen, ""), { kind: "bad-token" });
    assert.throws(() => verify(sign({ ...temporary, sessionToken: null }, "s3", url, {}, ""), ""), { kind: "bad-token" });
    assert.throws(() => verify(sign({ ...key, sessionToken: "x" }, "s3", url, {}, ""), ""), { kind: "bad-token" });
    assert.throws(() => verify(sign(ended, "s3", url, {}, ""), ""), { kind: "expired-token" });
    assert.throws(() => verify(sign({ ...ended, secretAccessKey: "guessed" }, "s3", url, {}, ""), ""), { kind: "mismatch" });
    const good = sign(key, "s3", url, {}, "");
    assert.ok(verify(good, "", new Date(now.getTime() + 15 * 60_000)));
    assert.throws(() => verify(good, "", new Date(now.getTime() + 15 * 60_000 + 1000)), { kind: "expired" });
    assert.throws(() => verify(good, "", new Date(now.getTime() - 15 * 60_000 - 1000)), { kind: "early" });
    const otherDay = good.rawHeaders.map((text) => text.replace("/20260102/", "/20260101/"));
    assert.throws(() => verify({ ...good, rawHeaders: otherDay }, ""), { kind: "mismatch", message: /'20260101' != '20260102'/ });
    assert.throws(() => verify({ ...good, path: "/%zz" }, ""), { kind: "bad-uri" });
  });

  test("reads headers as the bytes that they are on the wire", () => {
    assert.ok(verify(signer(onTheWire("grün ✓")), ""));
    assert.equal(canonical(onTheWire("grün ✓")).split("\n").at(-1), sha256Hex("grün ✓"));
  });

  test("wants the headers signed that give a request its meaning", () => {
    const url = new URL("http://127.0.0.1/");
    const s3 = sign(key, "s3", url, {}, "");
    s3.rawHeaders.push("X-Amz-Acl", "public-read");
    assert.throws(() => verify(s3, ""), { kind: "unsigned-header", fields: { HeadersNotSigned: "x-amz-acl" } });
    const emr = sign(key, "elasticmapreduce", url, {}, "");
    emr.rawHeaders.push("X-Amz-Target", "ElasticMapReduce.TerminateJobFlows");
    assert.throws(() => verify(emr, ""), { kind: "unsigned-header" });
  });
});

const codes = (kind: ConstructorParameters<typeof SignatureRefusal>[0]) =>
  (["json", "query", "s3"] as const).map((dialect) => {
    const error = refusalError(new SignatureRefusal(kind, "why"), dialect);
    assert.ok(error.message);
    return `${error.status} ${error.code}`;
  });

test("each kind of service has its own names for a refusal", () => {
  assert.deepEqual(codes("missing"), ["400 MissingAuthenticationTokenException", "403 MissingAuthenticationToken", "403 AccessDenied"]);
  assert.deepEqual(codes("unknown-key"), ["400 UnrecognizedClientException", "403 InvalidClientTokenId", "403 InvalidAccessKeyId"]);
  assert.deepEqual(codes("expired-token"), ["400 ExpiredTokenException", "403 ExpiredToken", "400 ExpiredToken"]);
  assert.deepEqual(codes("mismatch"), ["400 InvalidSignatureException", "403 SignatureDoesNotMatch", "403 SignatureDoesNotMatch"]);
  assert.deepEqual(codes("expired"), ["400 InvalidSignatureException", "403 SignatureDoesNotMatch", "403 RequestTimeTooSkewed"]);
  assert.deepEqual(codes("malformed"), ["400 IncompleteSignatureException", "400 IncompleteSignature", "400 AuthorizationHeaderMalformed"]);
});
