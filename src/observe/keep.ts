/** Keeps the audit trail on the disk and within its 90 days, while the control plane runs. */
import type { Logger } from "pino";
import { type Audit, historyMs } from "./audit.ts";
import type { AuditEvent } from "./record.ts";
import type { PatientAudit } from "./unwritten.ts";

const syncEveryMs = 1000;
const pruneEveryMs = 3600_000;
/** Between two pieces of what is removed: other requests come in between. */
const breathMs = 20;

/**
 * Writes what comes in one turn of the event loop together, in one transaction. Resolves once the event is there whatever becomes of this process;
 * rejects where it could not be written, which is then so of all that came with it.
 */
export function writeByTurns(audit: Audit): (event: AuditEvent) => Promise<void> {
  let coming: AuditEvent[] = [];
  let written: Promise<void> | undefined;
  const writeNow = () => {
    const events = coming;
    [coming, written] = [[], undefined];
    audit.writeAll(events);
  };
  return (event) => {
    coming.push(event);
    return (written ??= new Promise((resolve) => setImmediate(resolve)).then(writeNow));
  };
}

type Kept = Audit & Partial<Pick<PatientAudit, "settle">>;

/** Resolves, when stopped, once all is on the disk. */
export function keepAudit({ event, data }: { event: Kept; data: Kept }, now: () => number, log: Logger): { stop(): Promise<void> } {
  const settleAndSync = async () => {
    event.settle?.();
    data.settle?.();
    await Promise.all([event.sync(), data.sync()]);
  };
  const syncNow = () =>
    settleAndSync().catch((error: unknown) => log.error({ err: error }, "the audit trail could not be synced to the disk"));
  const sync = setInterval(() => void syncNow(), syncEveryMs);
  let pruning: NodeJS.Timeout;
  const prune = () => {
    let isDone = true;
    try {
      isDone = event.prune(now() - historyMs);
    } catch (error) {
      log.error({ err: error }, "old events of the audit trail could not be removed");
    }
    pruning = setTimeout(prune, isDone ? pruneEveryMs : breathMs);
  };
  pruning = setTimeout(prune, breathMs);
  return {
    async stop() {
      clearInterval(sync);
      clearTimeout(pruning);
      await syncNow();
    },
  };
}
