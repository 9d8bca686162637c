/** Bootstrap actions, one after the other, each at most once on a node. */
import { appendFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { basename, join } from "node:path";
import { type AgentContext, environment } from "./context.ts";
import { scriptText, warnOfEmrPaths } from "./emr-paths.ts";
import { fetchFile } from "./fetch.ts";
import type { BootstrapOrder, Manifest, NodeFailure, Report } from "./manifest.ts";
import { lookOnce, runOnce, stopOnce } from "./run-once.ts";
import type { S3 } from "./s3.ts";

type State = Report["bootstrapActions"][number];

export const bootstrapLogs = (context: AgentContext, ordinal: number): string =>
  join(context.layout.logs, "bootstrap-actions", String(ordinal));

export function createBootstrap(context: AgentContext, s3: S3) {
  const states = new Map<number, State>();
  const folderOf = (ordinal: number) => join(context.layout.root, "bootstrap-actions", String(ordinal));
  const set = (state: State) => {
    states.set(state.ordinal, state);
    context.changed();
  };

  async function runOne(order: BootstrapOrder, manifest: Manifest): Promise<NodeFailure | undefined> {
    const { ordinal } = order;
    const folder = folderOf(ordinal);
    const logs = bootstrapLogs(context, ordinal);
    const logFile = join(logs, "stderr");
    // Apart from what run-once.ts keeps: neither the script's name nor what it writes may meet that.
    const work = join(folder, "work");
    const script = join(work, basename(order.path));
    const tell = (text: string) => {
      try {
        appendFileSync(join(logs, "controller"), `${new Date().toISOString()} ${text}\n`);
      } catch (error) {
        context.warn(`the controller log of bootstrap action ${ordinal} is not whole: ${(error as Error).message}`);
      }
    };
    await mkdir(logs, { recursive: true });
    if (lookOnce(folder).state === "new") {
      try {
        tell(`INFO Fetching ${order.path}`);
        await fetchFile(s3, order.path, script);
        const warning = warnOfEmrPaths(context, `bootstrap action ${ordinal} (${order.name})`, scriptText(script));
        if (warning) appendFileSync(logFile, `WARN ${warning}\n`);
        tell(`INFO startExec ${[script, ...order.args].join(" ")}`);
      } catch (error) {
        tell(`WARN ${(error as Error).message}`);
        set({ ordinal, state: "failed" });
        return { kind: "bootstrap-download", ordinal, message: (error as Error).message };
      }
    }
    const begun = runOnce(
      folder,
      {
        argv: [script, ...order.args],
        cwd: work,
        env: environment(context, manifest.env),
        stdout: join(logs, "stdout"),
        stderr: logFile,
      },
      () => set({ ordinal, state: "running" }),
    );
    const end = await begun.catch((error: Error) => error);
    if (end instanceof Error) {
      set({ ordinal, state: "failed" });
      return { kind: "bootstrap-exit", ordinal, message: `bootstrap action ${ordinal} could not be run: ${end.message}` };
    }
    tell(`INFO ended: ${end.state}${end.state === "exited" ? `, exit code ${end.exitCode}` : ""}`);
    if (end.state === "exited" && end.exitCode === 0) {
      set({ ordinal, state: "done", exitCode: 0 });
      return undefined;
    }
    const exitCode = end.state === "exited" ? end.exitCode : undefined;
    set({ ordinal, state: "failed", ...(exitCode === undefined ? {} : { exitCode }) });
    const how = exitCode === undefined ? "was cut off, and its end is not known" : `returned a non-zero return code (${exitCode})`;
    return {
      kind: "bootstrap-exit",
      ordinal,
      ...(exitCode === undefined ? {} : { exitCode }),
      message: `bootstrap action ${ordinal} ${how}`,
      logFile,
    };
  }

  return {
    /** Resolves with the failure that ends the node's start, or undefined when all are done. */
    async run(manifest: Manifest): Promise<NodeFailure | undefined> {
      for (const { ordinal } of manifest.bootstrapActions) if (!states.has(ordinal)) states.set(ordinal, { ordinal, state: "pending" });
      for (const order of manifest.bootstrapActions) {
        if (states.get(order.ordinal)?.state === "done") continue;
        const failure = await runOne(order, manifest);
        if (failure) return failure;
      }
      return undefined;
    },
    async stop(): Promise<void> {
      await Promise.all([...states.keys()].map((ordinal) => stopOnce(folderOf(ordinal), 1_000)));
    },
    report: (): State[] => [...states.values()].toSorted((a, b) => a.ordinal - b.ordinal),
  };
}
