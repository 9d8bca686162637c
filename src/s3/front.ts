/** The public port: S3's front door, and the way to the APIs and the agents' link for all else. It lives in a thread of its own. */
/* oxlint-disable unicorn/require-post-message-target-origin -- threads, not windows */
import { Worker } from "node:worker_threads";
import type { Answerer, WholeAnswer, WholeRequest } from "../api/http.ts";
import { sharingCompileCache } from "../compile-cache.ts";
import { together } from "./together.ts";
import { defaultLimits, type Limits } from "./admission.ts";
import type { BucketChange } from "../store/buckets.ts";
import type { KeyUse } from "../store/key-use.ts";
import type { S3Server } from "./upstream.ts";

export type { S3Server } from "./upstream.ts";

export interface FrontOptions {
  host: string;
  /** 0 takes a free one. */
  port: number;
  /** The store's file, for access keys, policies and buckets: only read. It must exist, migrated. */
  databasePath: string;
  /** Answers the requests of all APIs but S3, once they are there as a whole. */
  answer: Answerer;
  /** Unix socket of the HTTP server for the agents' link. */
  linkSocket: string;
  /** undefined where there is none: S3 requests are then refused. */
  s3: S3Server | undefined;
  /** Files of the audit trail, where S3 requests are recorded, and the region of one that does not say its own. */
  audits?: { event: string; data: string; region: string };
  /** Writes down what the front door has done with a bucket; resolves when it is on disk. */
  changeBucket: (change: BucketChange) => Promise<void>;
  /** Told that a key is in use, once in a while. */
  used?: (use: KeyUse) => void;
  /** Where they are not the defaults. */
  limits?: Partial<Limits>;
  /** Told what went wrong behind the front door, by the id that the client was given. */
  log?: (fault: { requestId: string; message: string }) => void;
}

export type WorkerOptions = Omit<FrontOptions, "log" | "limits" | "answer" | "changeBucket" | "used"> & { limits: Limits };
export type ToWorker =
  | { kind: "close" }
  /** Answers to what was `asked`, by its numbers; undefined where there is none. */
  | { kind: "answered"; answers: [number: number, answer: WholeAnswer | undefined][] }
  | { kind: "s3"; s3: S3Server }
  /** The answer to `change`, by its number: why it is not on disk, where it is not. */
  | { kind: "changed"; number: number; error: string | undefined };
export type FromWorker =
  | { kind: "listening"; port: number }
  | { kind: "failed"; message: string; code: string | undefined }
  | { kind: "fault"; requestId: string; message: string }
  | { kind: "asked"; requests: [number: number, request: WholeRequest][] }
  | { kind: "change"; number: number; change: BucketChange }
  | { kind: "used"; use: KeyUse };

export interface Front {
  port: number;
  /** Another S3 server from now on; requests under way go on with the old one. */
  useS3(server: S3Server): void;
  /** Gives the port back and cuts all connections. */
  close(): Promise<void>;
}

const workerFile = new URL(import.meta.url.endsWith(".ts") ? "./front-worker.ts" : "./front-worker.js", import.meta.url);

/** Longest time for the thread to listen, and to end. */
const patience = 30_000;
/** Between the end of a thread and the next. */
const reopenAfter = 200;

/** A door's thread, which loads what it needs beside whatever this one does. It opens nothing before it is given to `startFront`. */
export function loadFront(): Worker {
  const thread = new Worker(workerFile, { name: "front", env: sharingCompileCache(process.env) });
  // Whoever would open it finds that it has ended.
  thread.on("error", () => {});
  return thread;
}

/**
 * Opens the port. Rejects where it is taken or the database cannot be read. A thread that dies later is started again on the
 * same port, with the S3 server last in use. `loaded`: the thread that opens it, unless it has ended by now.
 */
export async function startFront(options: FrontOptions, loaded?: Worker): Promise<Front> {
  const { log = () => {}, answer, changeBucket, used, ...first } = options;
  let workerOptions: WorkerOptions = { ...first, limits: { ...defaultLimits, ...options.limits } };
  let closing = false;
  let reopening: NodeJS.Timeout | undefined;
  let worker: Worker | undefined;
  const report = (message: string) => log({ requestId: "-", message });

  const open = async (): Promise<number> => {
    const opened = loaded && loaded.threadId > 0 ? loaded : loadFront();
    loaded = undefined;
    worker = opened;
    opened.postMessage(workerOptions);
    // What is answered in the same breath wakes the thread once.
    const tell = together<[number, WholeAnswer | undefined]>(process.nextTick, (answers) =>
      opened.postMessage({ kind: "answered", answers } satisfies ToWorker),
    );
    opened.on("message", (message: FromWorker) => {
      if (message.kind === "fault") log({ requestId: message.requestId, message: message.message });
      if (message.kind === "used") used?.(message.use);
      if (message.kind === "asked")
        for (const [number, request] of message.requests)
          answer(request).then(
            (given) => tell([number, given]),
            (error: unknown) => {
              report(`the control plane does not answer: ${String(error)}`);
              tell([number, undefined]);
            },
          );
      if (message.kind === "change") {
        const done = (error?: string) => opened.postMessage({ kind: "changed", number: message.number, error } satisfies ToWorker);
        changeBucket(message.change).then(
          () => done(),
          (error: unknown) => done(String(error)),
        );
      }
    });
    opened.once("exit", () => {
      if (worker === opened) worker = undefined;
    });
    const port = await listening(opened).catch(async (error: unknown) => {
      await opened.terminate();
      throw error;
    });
    opened.on("error", (error) => report(`the front door's thread failed: ${String(error)}`));
    opened.once("exit", reopen);
    return port;
  };
  const reopen = (): void => {
    if (closing) return;
    reopening = setTimeout(() => {
      open().catch((error: unknown) => {
        report(`the front door cannot reopen: ${String(error)}`);
        reopen();
      });
    }, reopenAfter);
  };

  const port = await open();
  workerOptions = { ...workerOptions, port };
  return {
    port,
    useS3(server) {
      workerOptions = { ...workerOptions, s3: server };
      worker?.postMessage({ kind: "s3", s3: server } satisfies ToWorker);
    },
    async close() {
      closing = true;
      clearTimeout(reopening);
      const last = worker;
      if (!last) return;
      const ended = new Promise((resolve) => last.once("exit", resolve));
      last.postMessage({ kind: "close" } satisfies ToWorker);
      const force = setTimeout(() => void last.terminate(), patience);
      await ended;
      clearTimeout(force);
    },
  };
}

/** The port, once the thread listens. */
function listening(worker: Worker): Promise<number> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`the front door did not open in ${patience / 1000} s`)), patience);
    const settle = (act: () => void) => {
      clearTimeout(timer);
      act();
    };
    worker.on("message", (message: FromWorker) => {
      if (message.kind === "listening") settle(() => resolve(message.port));
      if (message.kind === "failed") settle(() => reject(Object.assign(new Error(message.message), { code: message.code })));
    });
    worker.once("error", (error) => settle(() => reject(error)));
    worker.once("exit", () => settle(() => reject(new Error("the front door's thread ended"))));
  });
}
