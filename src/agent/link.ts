/**
 * The agent dials out; the control plane never dials in. One connection long-polls for the manifest, the other carries reports. The control
 * plane's address is read afresh after each failure, because it may have been started again at another port.
 */
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { AgentContext } from "./context.ts";
import { exchange } from "./http.ts";
import { agentPaths } from "./layout.ts";
import type { Manifest, Report } from "./manifest.ts";

/** The control plane answers a long poll after 25 s at the latest. */
const pollTimeoutMs = 40_000;
const reportTimeoutMs = 5_000;
const reportEveryMs = 5_000;
/** Changes that come together go in one report. */
const coalesceMs = 20;

/** URL of one of the agentPaths, for this node. Throws where no control plane has left its address yet. */
export function controlPlaneUrl(context: Pick<AgentContext, "record">, path: string, query: Record<string, string> = {}): URL {
  const url = new URL(path, readFileSync(context.record.endpointFile, "utf8").trim());
  for (const [name, value] of Object.entries({ instance: context.record.instanceId, ...query })) url.searchParams.set(name, value);
  return url;
}

export const bearer = (context: Pick<AgentContext, "record">) => ({ authorization: `Bearer ${context.record.agentToken}` });

/** Asks for ever for a manifest newer than `generation()`. */
export async function followManifest(context: AgentContext, generation: () => number, take: (manifest: Manifest) => void): Promise<never> {
  for (let pause = 50; ;) {
    try {
      const url = controlPlaneUrl(context, agentPaths.manifest, { generation: String(generation()) });
      const { status, text } = await exchange(url, { headers: bearer(context), timeoutMs: pollTimeoutMs });
      if (status === 200) take(JSON.parse(text) as Manifest);
      else if (status !== 204) throw new Error(`the control plane answered ${status}`);
      pause = 50;
    } catch {
      await sleep(pause);
      pause = Math.min(pause * 2, 1_000);
    }
  }
}

/** Sends reports for ever: at once when `changed` is called, and every 5 s. Only the newest one matters, so a failed one is not kept. */
export function sendReports(context: Pick<AgentContext, "record">, report: () => Omit<Report, "seq">): { changed(): void } {
  let wake: (() => void) | undefined;
  let due = true;
  let seq = 0;

  void (async () => {
    for (let pause = 50; ;) {
      due = false;
      try {
        // Time since the machine's boot, which nobody sets: the next agent of this node goes on from there.
        seq = Math.max(seq + 1, Number(process.hrtime.bigint() / 1_000_000n));
        const url = controlPlaneUrl(context, agentPaths.report);
        const headers = { ...bearer(context), "content-type": "application/json" };
        const { status } = await exchange(url, {
          method: "POST",
          headers,
          body: JSON.stringify({ ...report(), seq }),
          timeoutMs: reportTimeoutMs,
        });
        if (status >= 300) throw new Error(`the control plane answered ${status}`);
        pause = 50;
      } catch {
        await sleep(pause);
        pause = Math.min(pause * 2, 1_000);
        continue;
      }
      if (!due) await Promise.race([sleep(reportEveryMs), new Promise<void>((resolve) => (wake = resolve))]);
      await sleep(coalesceMs);
    }
  })();

  return {
    changed() {
      due = true;
      wake?.();
    },
  };
}
