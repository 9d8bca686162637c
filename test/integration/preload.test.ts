/** The preload library with each kind of program that runs on nodes, on two node addresses that no cluster uses (the last ones of the range). */
import assert from "node:assert/strict";
import { execFile, type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { promisify } from "node:util";
import { cacheFolder } from "../../src/data-folder.ts";
import { ensureNative } from "../../src/native/build.ts";

const run = promisify(execFile);
const [one, two] = ["127.127.254.1", "127.127.254.2"];
const folder = mkdtempSync(join(tmpdir(), "howdah-preload-"));
const children: ChildProcess[] = [];
let preload = "";

before(async () => {
  ({ preload } = await ensureNative(cacheFolder()));
});
after(() => {
  for (const child of children) child.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
});

const nodeEnv = (address: string, more: Record<string, string> = {}) => ({
  ...process.env,
  LD_PRELOAD: preload,
  HOWDAH_NODE_IP: address,
  ...more,
});

/** Programs print "port N" when they listen, and then the peer of each connection. */
const python = `
import socket, sys
family = socket.AF_INET6 if sys.argv[1] == "6" else socket.AF_INET
s = socket.socket(family); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind((sys.argv[2], int(sys.argv[3]))); s.listen()
print("port", s.getsockname()[1], flush=True)
while True:
    c, peer = s.accept(); print("peer", peer[0], flush=True); c.sendall(b"hello"); c.close()
`;
const javaServer = `
import java.net.*;
public class Server { public static void main(String[] a) throws Exception {
  ServerSocket s = new ServerSocket(); s.setReuseAddress(true);
  s.bind(new InetSocketAddress(Integer.parseInt(a[0])));
  System.out.println("port " + s.getLocalPort());
  while (true) { Socket c = s.accept(); System.out.println("peer " + c.getInetAddress().getHostAddress()); c.getOutputStream().write("hello".getBytes()); c.close(); }
} }`;
const javaClient = `
import java.net.*;
public class Client { public static void main(String[] a) throws Exception {
  try (Socket s = new Socket(a[0], Integer.parseInt(a[1]))) { System.out.println(s.getLocalAddress().getHostAddress() + " " + new String(s.getInputStream().readAllBytes())); }
  System.out.println(InetAddress.getLocalHost().getHostName() + " " + InetAddress.getByName("ip-127-127-254-2.ec2.internal").getHostAddress());
} }`;
const nodeServer = `require("net").createServer((c) => { console.log("peer", c.remoteAddress); c.end("hello"); }).listen({ port: +process.argv[1], host: process.argv[2] || undefined }, function () { console.log("port", this.address().port); })`;

interface Listener {
  port: number;
  /** Resolves with the address of the next peer. */
  peer(): Promise<string>;
}

function listen(address: string, command: string, args: string[], env: Record<string, string> = {}): Promise<Listener> {
  const child = spawn(command, args, { env: nodeEnv(address, env), stdio: ["ignore", "pipe", "inherit"] });
  children.push(child);
  const peers: string[] = [];
  let wake: (() => void) | undefined;
  return new Promise((resolve, reject) => {
    let text = "";
    child.on("exit", (code) => reject(new Error(`${command} ended with ${code}`)));
    child.stdout!.on("data", (chunk: Buffer) => {
      text += chunk;
      const lines = text.split("\n");
      text = lines.pop()!;
      for (const line of lines) {
        const [kind, value] = line.split(" ");
        if (kind === "peer") peers.push(value!);
        wake?.();
        if (kind !== "port") continue;
        resolve({
          port: Number(value),
          async peer() {
            while (peers.length === 0) await new Promise<void>((again) => (wake = again));
            return peers.shift()!;
          },
        });
      }
    });
  });
}

/** What a program without the library gets from address:port; undefined where nothing answers. */
function read(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    let text = "";
    connect({ host, port })
      .on("data", (chunk) => (text += chunk))
      .on("close", () => resolve(text || undefined))
      .on("error", () => resolve(undefined));
  });
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.127.254.3", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

const pythonClient = (host: string) =>
  `import socket, sys\ns = socket.create_connection(("${host}", int(sys.argv[1])))\nprint(s.getsockname()[0], s.recv(9).decode())`;

async function javaFiles(): Promise<void> {
  writeFileSync(join(folder, "Server.java"), javaServer);
  writeFileSync(join(folder, "Client.java"), javaClient);
  await run("javac", ["-d", folder, join(folder, "Server.java"), join(folder, "Client.java")], { timeout: 120_000 });
}

describe("preload library", () => {
  for (const [family, wildcard] of [
    ["4", "0.0.0.0"],
    ["6", "::"],
  ] as const) {
    it(`Python: two nodes listen at one port of ${wildcard}, apart from each other and from the machine`, async () => {
      const port = await freePort();
      const first = await listen(one, "python3", ["-c", python, family, wildcard, String(port)]);
      const second = await listen(two, "python3", ["-c", python, family, wildcard, String(port)]);
      assert.equal(first.port, second.port);
      assert.equal(await read("127.0.0.1", port), undefined);
      assert.equal(await read("::1", port), undefined);
      assert.equal(await read(two, port), "hello");
      assert.equal((await second.peer()).replace("::ffff:", ""), "127.0.0.1");
      // Node two calls node one: the peer is node two.
      const { stdout } = await run("python3", ["-c", pythonClient(one), String(port)], { env: nodeEnv(two) });
      assert.equal(stdout.trim(), `${two} hello`);
      assert.equal((await first.peer()).replace("::ffff:", ""), two);
      // And each finds itself as localhost.
      for (const localhost of ["127.0.0.1", "::1", "localhost"]) {
        const own = await run("python3", ["-c", pythonClient(localhost), String(port)], { env: nodeEnv(two) });
        assert.match(own.stdout, /127\.127\.254\.2 hello/);
        assert.equal((await second.peer()).replace("::ffff:", ""), two);
      }
    });
  }

  it("Java, with and without IPv6 sockets", async () => {
    await javaFiles();
    for (const flags of [[], ["-Djava.net.preferIPv4Stack=true"]]) {
      const port = await freePort();
      const first = await listen(one, "java", [...flags, "-cp", folder, "Server", String(port)]);
      await listen(two, "java", [...flags, "-cp", folder, "Server", String(port)]);
      const client = (host: string) =>
        run("java", [...flags, "-cp", folder, "Client", host, String(port)], {
          env: nodeEnv(two, { HOWDAH_NODE_NAME: "ip-127-127-254-2.ec2.internal" }),
        });
      assert.equal((await client(one)).stdout, `${two} hello\nip-127-127-254-2.ec2.internal ${two}\n`);
      assert.equal((await first.peer()).replace("::ffff:", ""), two);
      assert.match((await client("localhost")).stdout, new RegExp(`^${two} hello`));
      assert.equal(await read("127.0.0.1", port), undefined);
    }
  });

  it("Node listens on [::] by default", async () => {
    const port = await freePort();
    const first = await listen(one, process.execPath, ["-e", nodeServer, String(port)]);
    await listen(two, process.execPath, ["-e", nodeServer, String(port)]);
    const client = `require("net").connect(${port}, process.argv[1]).on("data", (d) => console.log(String(d)))`;
    const { stdout } = await run(process.execPath, ["-e", client, one], { env: nodeEnv(two) });
    assert.equal(stdout, "hello\n");
    assert.equal((await first.peer()).replace("::ffff:", ""), two);
    assert.equal(await read("127.0.0.1", port), undefined);
  });

  it("a listener at a given port of 127.0.0.1 is each node's own, one at any free port stays", async () => {
    const port = await freePort();
    await listen(one, "python3", ["-c", python, "4", "127.0.0.1", String(port)]);
    await listen(two, "python3", ["-c", python, "4", "127.0.0.1", String(port)]);
    assert.equal(await read("127.0.0.1", port), undefined);
    assert.equal(await read(one, port), "hello");
    const any = await listen(one, "python3", ["-c", python, "4", "127.0.0.1", "0"]);
    assert.equal(await read("127.0.0.1", any.port), "hello");
    const own = await run("python3", ["-c", pythonClient("127.0.0.1"), String(any.port)], { env: nodeEnv(one) });
    assert.match(own.stdout, /hello/);
  });

  it("what the machine has at 127.0.0.1 stays reachable where the node has nothing there", async () => {
    const server = createServer((socket) => socket.end("machine"));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const { stdout } = await run("python3", ["-c", pythonClient("127.0.0.1"), String(port)], { env: nodeEnv(one) });
    assert.equal(stdout.trim(), "127.0.0.1 machine");
    server.close();
  });

  it("an IPv6-only wildcard beside an IPv4 one at the same port, as asyncio does it", async () => {
    const port = await freePort();
    const both = `
import asyncio, sys
async def hello(r, w): w.write(b"hello"); await w.drain(); w.close()
async def main():
    s = await asyncio.start_server(hello, None, int(sys.argv[1])); print("port", sys.argv[1], flush=True); await s.serve_forever()
asyncio.run(main())`;
    await listen(one, "python3", ["-c", both, String(port)]);
    assert.equal(await read(one, port), "hello");
    assert.equal(await read("127.0.0.1", port), undefined);
  });

  it("does nothing without HOWDAH_NODE_IP, or with one outside Howdah's range", async () => {
    for (const address of ["", "10.0.0.1", "127.0.0.1"]) {
      const any = await listen(address, "python3", ["-c", python, "4", "0.0.0.0", "0"]);
      assert.equal(await read("127.0.0.1", any.port), "hello");
    }
  });

  it("leaves a statically linked program alone: it works, on the whole machine", async (test) => {
    const source = join(folder, "static.c");
    writeFileSync(
      source,
      `#include <arpa/inet.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>
int main(void) {
  struct sockaddr_in a = {.sin_family = AF_INET}; socklen_t n = sizeof a;
  int s = socket(AF_INET, SOCK_STREAM, 0); bind(s, (void *)&a, n); listen(s, 5); getsockname(s, (void *)&a, &n);
  printf("port %d\\n", ntohs(a.sin_port)); fflush(stdout);
  for (;;) { int c = accept(s, 0, 0); write(c, "hello", 5); close(c); }
}`,
    );
    if (spawnSync("cc", ["-static", "-o", join(folder, "static"), source]).status !== 0) {
      test.skip("this machine cannot link statically");
      return;
    }
    const any = await listen(one, join(folder, "static"), []);
    assert.equal(await read("127.0.0.1", any.port), "hello");
  });
});
