/** Where the disk takes no more of the audit trail: what was answered is kept in memory until it does, and nothing more is changed meanwhile. */
import { noRoom } from "../aws/errors.ts";
import { isNoRoom } from "../store/no-room.ts";
import type { Audit } from "./audit.ts";
import type { AuditEvent } from "./record.ts";

/** Kept at most: some MB. */
const mostKept = 10_000;

export interface PatientAudit extends Audit {
  /** Before a call is carried out. Throws where it could not be recorded: what changes something, and once much is kept, what reads, too. */
  admit(readOnly: boolean): void;
  /** Writes what is kept, where there is room again. */
  settle(): void;
}

/** Writing to it throws for any other reason than a full disk. */
export function keepUnwritten(audit: Audit, most = mostKept): PatientAudit {
  let kept: AuditEvent[] = [];

  function settle(): void {
    if (kept.length === 0) return;
    try {
      audit.writeAll(kept);
      kept = [];
    } catch (error) {
      if (!isNoRoom(error)) throw error;
    }
  }

  function writeAll(events: readonly AuditEvent[]): void {
    settle();
    if (kept.length === 0)
      try {
        audit.writeAll(events);
        return;
      } catch (error) {
        if (!isNoRoom(error)) throw error;
      }
    kept.push(...events);
  }

  return {
    ...audit,
    writeAll,
    write: (event) => writeAll([event]),
    admit(readOnly) {
      if (kept.length === 0) return;
      settle();
      if (kept.length > 0 && (!readOnly || kept.length >= most)) throw noRoom();
    },
    settle,
    close() {
      settle();
      audit.close();
    },
  };
}
