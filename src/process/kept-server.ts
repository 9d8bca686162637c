/**
 * A server that belongs to a data folder: started once, found again by every control plane after it, whatever ended that one, and started again where it has
 * died. It listens at ports of 127.0.0.1 that it keeps where they are still free, and shows a secret of its own.
 */
import { mkdirSync } from "node:fs";
import { createServer } from "node:net";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { readJson, writeWhole } from "../files.ts";
import { endProcess, findByEnvironment, hasInEnvironment, isAlive, type KnownProcess } from "./known.ts";

/** `Book`: what a file of mode 0600 keeps of it, so that a process that outlives its starter's crash is found with its ports and secret. */
export interface ServerKind<Book> {
  /** For messages: "the embedded S3 server". */
  name: string;
  /** Where its book is. */
  record: string;
  log: string;
  /** A variable in its environment, and what it is there: finds one whose record was never written. */
  mark: readonly [variable: string, value: string];
  /** The book of one that was never started. */
  first(): Book;
  /** Members of the book that are ports; 0 for any. */
  ports: readonly (keyof Book & string)[];
  start(book: Book): KnownProcess;
  /** Whether it answers, to a request with its secret: another program on the port would refuse it. */
  answers(book: Book): Promise<boolean>;
}

export type Running<Book> = Book & { known: KnownProcess };

/** A JVM on a busy machine may take many seconds to its first answer. */
const startPatience = 90_000;
const graceMs = 5000;
const mostAttempts = 3;

/** The server that runs already, or a new one, on the same ports where they are still free. Throws where it does not come up, with its log's name, and where `cut` is. */
export async function ensureServer<Book extends object>(kind: ServerKind<Book>, cut?: AbortSignal): Promise<Running<Book>> {
  for (const file of [kind.record, kind.log]) mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const recorded = readJson<Book & { known?: KnownProcess }>(kind.record);
  let book: Book = recorded ?? kind.first();
  const running = runningServer(kind) ?? findByEnvironment(...kind.mark)[0];
  if (running) {
    if (recorded && (await comesUp(kind, book, running, cut))) return keep(kind, book, running);
    await endProcess(running, { graceMs });
  }
  for (let attempt = 1; ; attempt++) {
    cut?.throwIfAborted();
    book = await withPorts(kind, book, attempt > 1);
    // Written first.
    keep(kind, book, undefined);
    const started = kind.start(book);
    if (await comesUp(kind, book, started, cut)) return keep(kind, book, started);
    await endProcess(started, { graceMs });
    if (attempt === mostAttempts) throw new Error(`${kind.name} did not come up: see ${kind.log}`);
  }
}

/** Ends it, recorded or not. Resolves when it is gone. */
export async function stopServer(kind: Pick<ServerKind<never>, "record" | "mark">): Promise<void> {
  await Promise.all([runningServer(kind), ...findByEnvironment(...kind.mark)].map((found) => endProcess(found, { graceMs })));
}

/** As it is recorded; a copy of a data folder has the record of the original's. */
export function runningServer({ record, mark }: Pick<ServerKind<never>, "record" | "mark">): KnownProcess | undefined {
  const known = readJson<{ known?: KnownProcess }>(record)?.known;
  return known && isAlive(known) && hasInEnvironment(known.pid, ...mark) ? known : undefined;
}

/** `changed` is told of each server that takes the place of a dead one, `failed` of each start that failed. */
export interface Told<Book> {
  changed?: (server: Running<Book>) => void;
  failed?: (error: unknown) => void;
}

/**
 * ensureServer, and again whenever the server has died, so that few need to know. A start that fails is tried again a period later. `stop` ends the watch,
 * not the server: once it resolves, no start is under way.
 */
export async function superviseServer<Book extends object>(
  kind: ServerKind<Book>,
  told: Told<Book> = {},
  periodMs = 1000,
): Promise<Running<Book> & { stop(): Promise<void> }> {
  const first = await ensureServer(kind);
  let { known } = first;
  let busy: Promise<void> | undefined;
  const stopping = new AbortController();
  const timer = setInterval(() => {
    if (busy || isAlive(known)) return;
    busy = ensureServer(kind, stopping.signal)
      .then((server) => {
        known = server.known;
        told.changed?.(server);
      })
      .catch((error: unknown) => {
        if (!stopping.signal.aborted) told.failed?.(error);
      })
      .finally(() => (busy = undefined));
  }, periodMs);
  timer.unref();
  return {
    ...first,
    async stop() {
      clearInterval(timer);
      stopping.abort();
      await busy;
    },
  };
}

function keep<Book>(kind: ServerKind<Book>, book: Book, known: KnownProcess): Running<Book>;
function keep<Book>(kind: ServerKind<Book>, book: Book, known: undefined): void;
function keep<Book>(kind: ServerKind<Book>, book: Book, known: KnownProcess | undefined) {
  const kept = { ...book, known };
  writeWhole(kind.record, JSON.stringify(kept));
  return kept;
}

/** Another program may still take one first: then the start fails and is tried again. */
async function withPorts<Book>(kind: ServerKind<Book>, book: Book, others: boolean): Promise<Book> {
  const ports = await Promise.all(kind.ports.map(async (name) => [name, await freePort(others ? 0 : Number(book[name]))]));
  return { ...book, ...(Object.fromEntries(ports) as Book) };
}

/** The wanted port, else any; 0 wants none. */
async function freePort(wanted: number): Promise<number> {
  const probe = createServer();
  try {
    return await new Promise<number>((resolve, reject) => {
      probe.once("error", reject);
      probe.listen(wanted, "127.0.0.1", () => resolve((probe.address() as { port: number }).port));
    });
  } catch {
    return freePort(0);
  } finally {
    probe.close();
  }
}

async function comesUp<Book>(kind: ServerKind<Book>, book: Book, known: KnownProcess, cut?: AbortSignal): Promise<boolean> {
  const giveUpAt = performance.now() + startPatience;
  while (isAlive(known) && performance.now() < giveUpAt) {
    if (cut?.aborted) return false;
    if (await kind.answers(book)) return true;
    await sleep(50);
  }
  return false;
}
