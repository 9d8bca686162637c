/** The front door over real sockets, with stand-ins for the control plane and the S3 server: what gets in, and what clients can do to it. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, request, type RequestListener, type Server, type ServerResponse } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, describe, test } from "node:test";
import { pino } from "pino";
import { createAgentLink } from "../../src/api/agent-link.ts";
import type { WholeRequest } from "../../src/api/http.ts";
import { createSilence } from "../../src/reconcile/silence.ts";
import { sha256Hex, signRequest } from "../../src/aws/sigv4.ts";
import type { Limits } from "../../src/s3/admission.ts";
import { type Front, startFront } from "../../src/s3/front.ts";
import { moving } from "../../src/s3/moving.ts";
import { adminKey, ensureAccounts } from "../../src/store/accounts.ts";
import { makeIds } from "../../src/store/ids.ts";
import { openStore } from "../../src/store/store.ts";
import { answerOver } from "./answer-over.ts";

describe("front door", () => {
  const root = mkdtempSync(join(tmpdir(), "howdah-front-"));
  const databasePath = join(root, "howdah.db");
  const controlSocket = join(root, "control.sock");
  /** What reached the control plane and the S3 server. */
  let control: RequestListener = (_req, res) => res.end();
  let objects: RequestListener = (_req, res) => res.end();
  const behind = createServer((req, res) => control(req, res));
  const s3 = createServer((req, res) => objects(req, res));
  let credentials: { accessKeyId: string; secretAccessKey: string };
  let front: Front | undefined;

  before(async () => {
    const store = await openStore(databasePath);
    const [account] = await store.transaction((tx) => ensureAccounts(tx, makeIds()));
    const key = await adminKey(store.db, account!.id);
    credentials = { accessKeyId: key!.access_key_id, secretAccessKey: key!.secret_access_key };
    await store.close();
    await once(behind.listen(controlSocket), "listening");
    await once(s3.listen(0, "127.0.0.1"), "listening");
  });
  afterEach(async () => {
    await front?.close();
    front = undefined;
    for (const server of [behind, s3]) server.closeAllConnections();
  });
  after(() => {
    for (const server of [behind, s3]) server.close();
    rmSync(root, { recursive: true });
  });

  const faults: string[] = [];
  /** Requests of APIs, as the control plane is given them. */
  const asked: WholeRequest[] = [];
  async function open(limits: Partial<Limits> = {}): Promise<Front> {
    const endpoint = `http://127.0.0.1:${portOf(s3)}`;
    const server = { endpoint, accessKeyId: "a", secretAccessKey: "s", region: "us-east-1", external: true };
    front = await startFront({
      host: "127.0.0.1",
      port: 0,
      databasePath,
      linkSocket: controlSocket,
      answer: answerOver(controlSocket, (request) => asked.push(request)),
      s3: server,
      changeBucket: async () => {},
      limits,
      log: ({ message }) => faults.push(message),
    });
    return front;
  }

  interface Sent {
    method?: string;
    path?: string;
    service?: string;
    headers?: Record<string, string>;
    body?: string;
  }
  function send({ method = "POST", path = "/", service = "elasticmapreduce", headers = {}, body = "" }: Sent): Promise<Got> {
    const url = new URL(path, `http://127.0.0.1:${front!.port}`);
    const payloadHash = sha256Hex(body);
    const signed = signRequest({ method, url, headers, payloadHash, credentials, region: "us-east-1", service, now: new Date() });
    const length: Record<string, string> = body === "" ? {} : { "content-length": String(Buffer.byteLength(body)) };
    return got(request(url, { method, headers: { ...signed, ...length }, agent: false }), body);
  }

  /** Everything that the door sends for these bytes, until it closes or `enough`. */
  async function say(bytes: string, enough: (text: string) => boolean = () => false): Promise<string> {
    const socket = connect(front!.port, "127.0.0.1");
    socket.on("error", () => {});
    socket.write(bytes);
    return read(socket, enough);
  }

  test("says where a request comes from, whatever its client says", async () => {
    const { port } = await open();
    control = (_req, res) => res.end();
    const spoofs: Record<string, string> = { "x-howdah-origin": "10.0.0.1", "x-forwarded-for": "10.0.0.4", forwarded: "for=10.0.0.5" };
    for (const headers of [{}, ...Object.entries(spoofs).map(([name, value]) => ({ [name]: value }))]) {
      asked.length = 0;
      const sent = request({ port, localAddress: "127.9.8.7", headers: { "x-amz-target": "a", ...headers } }).end();
      await once(sent, "response");
      assert.deepEqual(
        asked.map(({ origin }) => origin),
        [{ sourceIp: "127.9.8.7", secure: false }],
      );
    }
  });

  test("asks for what is there as a whole only: bytes as they came, and their number", async () => {
    await open();
    control = (_req, res) => res.end("in");
    const body = Buffer.from(Array.from({ length: 100_000 }, (_, i) => i % 256));
    asked.length = 0;
    const socket = connect(front!.port, "127.0.0.1");
    socket.write(`POST /p?q HTTP/1.1\r\nHost: h\r\nX-Amz-Target: a\r\nx: 1\r\nx: 2\r\ncontent-length: ${body.length}\r\n\r\n`);
    for (let at = 0; at < body.length; at += 9_999) socket.write(body.subarray(at, at + 9_999));
    assert.match(await read(socket, (text) => text.endsWith("in")), /^HTTP\/1\.1 200 /);
    const [{ method, url, rawHeaders, body: got } = assert.fail()] = asked;
    assert.deepEqual([method, url], ["POST", "/p?q"]);
    assert.deepEqual(rawHeaders.slice(0, 8), ["Host", "h", "X-Amz-Target", "a", "x", "1", "x", "2"]);
    assert.deepEqual(Buffer.from(got as Uint8Array), body);
    asked.length = 0;
    const large = `POST / HTTP/1.1\r\nhost: h\r\nx-amz-target: a\r\ncontent-length: ${(1 << 20) + 1}\r\n\r\n${"x".repeat((1 << 20) + 1)}`;
    assert.match(await say(large, (text) => text.endsWith("too-large")), /^HTTP\/1\.1 408 /);
    assert.deepEqual(
      asked.map((request) => request.body),
      ["too-large"],
    );
  });

  test("a control plane that does not answer is told of, and its client tries again", async () => {
    await open();
    control = (req) => req.socket.destroy();
    faults.length = 0;
    const { status, text } = await send({});
    assert.equal(status, 502);
    assert.match(text, /"__type":"ServiceUnavailable"/);
    assert.match(faults.join(), /the control plane does not answer: .*hang up/);
    control = (_req, res) => res.end("in");
    assert.equal((await send({})).text, "in");
  });

  test("throttles each service in its own words while too much is under way, and is as ever when that has ended", async () => {
    await open({ apiRequests: 3, s3Requests: 2 });
    const held: ServerResponse[] = [];
    const hold = (count: number) =>
      new Promise<void>((resolve) => {
        control = objects = (_req, res) => {
          if (held.push(res) === count) resolve();
        };
      });
    const full = hold(5);
    const first = [...[1, 2, 3].map(() => send({})), ...[1, 2].map(() => send({ method: "GET", path: "/bucket/key", service: "s3" }))];
    await full;
    const more: Sent[] = [
      { service: "elasticmapreduce" },
      { service: "cloudtrail", body: "{}" },
      { service: "iam" },
      { service: "sts" },
      { service: "ec2" },
      { service: "s3", method: "PUT", path: "/bucket/key", body: "x".repeat(100_000) },
    ];
    const answers = await Promise.all(Array.from({ length: 50 }, (_, i) => send(more[i % more.length]!)));
    const shapes = [
      [400, '{"__type":"ThrottlingException","message":"Rate exceeded"}'],
      [400, '{"__type":"ThrottlingException","message":"Rate exceeded"}'],
      [400, "<ErrorResponse><Error><Type>Sender</Type><Code>Throttling</Code>"],
      [400, "<ErrorResponse><Error><Type>Sender</Type><Code>Throttling</Code>"],
      [503, "<Response><Errors><Error><Code>RequestLimitExceeded</Code>"],
      [503, "<Error><Code>SlowDown</Code>"],
    ] as const;
    for (const [i, { status, text }] of answers.entries()) {
      const [wanted, part] = shapes[i % shapes.length]!;
      assert.equal(status, wanted);
      assert.ok(text.includes(part), text);
    }
    // Agents are not counted: a cluster's nodes hang on to it all the time.
    const agent = request({ port: front!.port, path: "/_howdah/agent/manifest", agent: false })
      .on("error", () => {})
      .end();
    const reached = hold(6);
    await reached;
    // Neither an answer nor a client that goes away leaves its place taken.
    agent.destroy();
    control = objects = (_req, res) => res.end("as ever");
    for (const res of held) res.end("held");
    assert.deepEqual(new Set((await Promise.all(first)).map(({ text }) => text)), new Set(["held"]));
    for (const sent of [{}, { method: "GET", path: "/bucket/key", service: "s3" }]) assert.equal((await send(sent)).text, "as ever");
  });

  test("what its client leaves gives its place back, pipelined requests too", async () => {
    const { port } = await open({ apiRequests: 3 });
    const waiting = new Promise<void>((resolve) => {
      let count = 0;
      control = (_req, res) => {
        res.on("close", () => {});
        if (++count === 3) resolve();
      };
    });
    const socket = connect(port, "127.0.0.1");
    socket.write("POST / HTTP/1.1\r\nhost: h\r\nx-amz-target: a\r\ncontent-length: 0\r\n\r\n".repeat(3));
    await waiting;
    assert.equal((await send({})).status, 400);
    socket.destroy();
    control = (_req, res) => res.end("in");
    // The door learns of it by its socket: how soon is the kernel's matter.
    while ((await send({})).status === 400);
    const all = await Promise.all([send({}), send({}), send({})]);
    assert.deepEqual(
      all.map(({ text }) => text),
      ["in", "in", "in"],
    );
  });

  test("closes connections above the limit, and takes new ones when others have ended", async () => {
    const { port } = await open({ connections: 4 });
    control = (_req, res) => res.end("in");
    const idle = await Promise.all(
      [1, 2, 3, 4].map(async () => {
        const socket = connect(port, "127.0.0.1");
        await once(socket, "connect");
        // Answered, so that the door surely has it.
        socket.write("GET /_howdah/ HTTP/1.1\r\nhost: h\r\n\r\n");
        await once(socket, "data");
        return socket;
      }),
    );
    const fifth = connect(port, "127.0.0.1");
    fifth.on("error", () => {});
    await once(fifth, "close");
    for (const socket of idle) socket.destroy();
    for (;;) {
      const answer = await send({}).catch(() => undefined);
      if (answer?.text === "in") break;
    }
  });

  test("cuts off clients that are slow to say what they want", async () => {
    await open({ headersMs: 100, bodyMs: 100 });
    control = (req, res) => req.resume().once("end", () => res.end());
    assert.match(await say("POST / HTTP/1.1\r\nhost: h\r\nx-am"), /^HTTP\/1\.1 408 /);
    assert.match(await say(""), /^(HTTP\/1\.1 408 |$)/);
    asked.length = 0;
    assert.match(await say("POST / HTTP/1.1\r\nhost: h\r\nx-amz-target: a\r\ncontent-length: 10\r\n\r\n{"), /^HTTP\/1\.1 408 .*late$/s);
    assert.deepEqual(
      asked.map(({ body }) => body),
      ["late"],
    );
    const report = "POST /_howdah/agent/report HTTP/1.1\r\nhost: h\r\ncontent-length: 10\r\n\r\n{";
    assert.equal(await say(report), "");
    // Answered already, but its body never ends.
    control = (_req, res) => res.end("answered");
    assert.match(await say(report), /answered$/);
  });

  test("no request hides in another", async () => {
    await open();
    const seen: string[] = [];
    control = (req, res) => {
      let body = "";
      req.on("data", (chunk) => (body += String(chunk)));
      req.on("end", () => {
        seen.push(`${req.method} ${req.url} ${body}`);
        res.end("one");
      });
    };
    const hidden = "POST /hidden HTTP/1.1\r\nhost: h\r\nx-amz-target: a\r\ncontent-length: 0\r\n\r\n";
    const head = "POST /seen HTTP/1.1\r\nhost: h\r\nx-amz-target: a\r\n";
    const chunked = `0\r\n\r\n${hidden}`;
    const refused = [
      `${head}content-length: ${chunked.length}\r\ntransfer-encoding: chunked\r\n\r\n${chunked}`,
      `${head}transfer-encoding: chunked\r\ncontent-length: ${chunked.length}\r\n\r\n${chunked}`,
      `${head}content-length: 0\r\ncontent-length: ${hidden.length}\r\n\r\n${hidden}`,
      `${head}content-length: +0\r\n\r\n${hidden}`,
      `${head}content-length: 0x0\r\n\r\n${hidden}`,
      `${head}content-length : ${hidden.length}\r\n\r\n${hidden}`,
      `${head}transfer-encoding: chunked, identity\r\n\r\n${chunked}`,
      `${head}transfer-encoding: xchunked\r\n\r\n${chunked}`,
      `${head}transfer-encoding:\x0bchunked\r\n\r\n${chunked}`,
      `${head}a: b\r\n folded: c\r\ncontent-length: 0\r\n\r\n`,
      `${head}a: b\nc: d\r\ncontent-length: 0\r\n\r\n`,
      `${head}a: b\0c\r\ncontent-length: 0\r\n\r\n`,
      `${head}transfer-encoding: chunked\r\n\r\n3\nabc\r\n0\r\n\r\n`,
      `${head}transfer-encoding: chunked\r\n\r\n-1\r\nabc\r\n0\r\n\r\n`,
      "POST /no-host HTTP/1.1\r\nx-amz-target: a\r\ncontent-length: 0\r\n\r\n",
      "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
      "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
      `GET /${"x".repeat(20_000)} HTTP/1.1\r\nhost: h\r\n\r\n`,
    ];
    for (const bytes of refused) {
      seen.length = 0;
      const text = await say(bytes);
      assert.match(text, /^HTTP\/1\.1 4\d\d /, bytes);
      assert.equal(text.match(/HTTP\/1\.1/g)?.length, 1, bytes);
      assert.ok(!seen.some((one) => one.includes("hidden")), bytes);
    }
    // What is one request to the door is one to the control plane, whatever it carries and however its body comes.
    const inside = hidden.replaceAll("\r\n", "\n");
    const one: [string, string][] = [
      [`${head}content-length: ${hidden.length}\r\n\r\n${hidden}`, hidden],
      [`${head}transfer-encoding: chunked\r\n\r\n${hidden.length.toString(16)};a=b\r\n${hidden}\r\n0\r\nx-amz-target: b\r\n\r\n`, hidden],
      [`${head.replace("POST", "GET")}content-length: ${inside.length}\r\n\r\n${inside}`, inside],
      [`${head}connection: x-amz-target, keep-alive\r\nupgrade: h2c\r\ncontent-length: 0\r\n\r\n`, ""],
      [`${head}\r\n`, ""],
    ];
    for (const [bytes, body] of one) {
      seen.length = 0;
      await say(bytes, (text) => text.endsWith("one") || text.endsWith("0\r\n\r\n"));
      assert.deepEqual(seen, [`${bytes.split(" ", 1)[0]} /seen ${body}`], bytes);
    }
  });

  test("answers pipelined requests in their order, whoever answers them", async () => {
    await open();
    control = (req, res) => {
      // The first is the slowest.
      if (req.url === "/1") setImmediate(() => setImmediate(() => res.end("answer-1")));
      else res.end(`answer-${req.url!.slice(1)}`);
    };
    const target = "host: h\r\nx-amz-target: a\r\ncontent-length: 0\r\n\r\n";
    const text = await say(
      `POST /1 HTTP/1.1\r\n${target}GET /bucket HTTP/1.1\r\nhost: h\r\n\r\nPOST /2 HTTP/1.1\r\n${target}POST /3 HTTP/1.1\r\n${target}`,
      (so) => so.includes("answer-3"),
    );
    assert.deepEqual([...text.matchAll(/answer-\d|<Code>\w+/g)].map(String), ["answer-1", "<Code>AccessDenied", "answer-2", "answer-3"]);
  });

  test("methods at the root, and paths that are none", async () => {
    await open();
    let paths: (string | undefined)[] = [];
    control = (req, res) => {
      paths.push(req.url);
      res.end("control");
    };
    const plain = async (bytes: string) => say(`${bytes}\r\nhost: h\r\nconnection: close\r\n\r\n`);
    for (const method of ["GET", "OPTIONS", "PUT", "DELETE"])
      assert.match(await plain(`${method} / HTTP/1.1`), /^HTTP\/1\.1 403 .*AccessDenied/s);
    assert.match(await plain("HEAD / HTTP/1.1"), /^HTTP\/1\.1 403 .*\r\n\r\n$/s);
    assert.match(await plain("GET /?Action=GetCallerIdentity&Version=2011-06-15 HTTP/1.1"), /control$/);
    const strange = [
      "//",
      "///x",
      "http://[/",
      "http://elsewhere/_howdah/agent/manifest",
      "*",
      "/%",
      "/%00",
      "/?%",
      "/..//..",
      "/_howdah/agent/../..",
    ];
    for (const path of strange)
      assert.match(await plain(`OPTIONS ${path} HTTP/1.1\r\nx-amz-target: a`), /^HTTP\/1\.1 (200|400|403) /, path);
    assert.equal(await plain("CONNECT elsewhere:80 HTTP/1.1"), "");
    paths = [];
    const scope = "AWS4-HMAC-SHA256 Credential=a/20260101/us-east-1/sts/aws4_request";
    await plain(`GET // HTTP/1.1\r\nauthorization: ${scope}`);
    assert.deepEqual(paths, ["//"]);
  });
});

test("the agents' link takes nothing else for its own, a URL or not", async () => {
  const store = await openStore(":memory:");
  const link = createAgentLink({ store, silence: createSilence(store.steady) }, makeIds(), {} as never, pino({ level: "silent" }));
  for (const url of ["//", "http://[", "*", "/", "/_howdah", "http://elsewhere/_howdah/agent/manifest"])
    assert.equal(link.handle({ url } as IncomingMessage, {} as ServerResponse), false);
  await store.close();
});

test("a body must come at some rate, but nobody waits for a server on its client's account", async () => {
  let now = 0;
  async function* pieces(count: number, size: number, everyMs: number) {
    for (let i = 0; i < count; i++) {
      now += everyMs;
      yield Buffer.alloc(size);
    }
  }
  const take = async (source: AsyncIterable<Buffer>, busyMs = 0) => {
    let size = 0;
    for await (const piece of moving(source, () => now)) {
      size += piece.length;
      now += busyMs;
    }
    return size;
  };
  assert.equal(await take(pieces(50, 1, 1000)), 50);
  await assert.rejects(take(pieces(100, 1, 1000)), { name: "RequestTimeout" });
  assert.equal(await take(pieces(1000, 2048, 1000)), 2_048_000);
  assert.equal(await take(pieces(100, 1, 1), 60_000), 100);
});

interface Got {
  status: number;
  text: string;
}

const portOf = (server: Server) => (server.address() as AddressInfo).port;

function got(sent: ReturnType<typeof request>, body: string): Promise<Got> {
  return new Promise((resolve, reject) => {
    sent.on("error", reject).on("response", (res) => {
      let text = "";
      res.setEncoding("utf8").on("data", (chunk) => (text += chunk));
      res.on("end", () => resolve({ status: res.statusCode!, text })).on("error", reject);
    });
    sent.end(body);
  });
}

async function read(socket: Socket, enough: (text: string) => boolean): Promise<string> {
  let text = "";
  try {
    for await (const chunk of socket.setEncoding("latin1")) {
      text += chunk as string;
      if (enough(text)) break;
    }
  } catch {
    // Cut off.
  }
  socket.destroy();
  return text;
}
