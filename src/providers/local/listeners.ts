/** Programs of the machine that listen on the wildcard address at a port nodes need: they block that port on every loopback address. */
import { readFileSync, readdirSync, readlinkSync } from "node:fs";

export interface ForeignListener {
  port: number;
  /** Both unknown where the program is another user's. */
  pid?: number;
  program?: string;
}

/** Those of `ports` that nodes cannot have on this machine, and who has them. */
export function foreignListeners(ports: readonly number[]): ForeignListener[] {
  const found = new Map<number, string>();
  for (const file of ["/proc/net/tcp", "/proc/net/tcp6"]) {
    for (const line of readTable(file)) {
      const fields = line.trim().split(/\s+/);
      const [address, hexPort] = (fields[1] ?? "").split(":");
      const port = parseInt(hexPort ?? "", 16);
      if (fields[3] === "0A" && /^0+$/.test(address ?? "") && ports.includes(port)) found.set(port, fields[9]!);
    }
  }
  return [...found].map(([port, inode]) => ({ port, ...ownerOf(inode) })).toSorted((a, b) => a.port - b.port);
}

/** "Port 8088 is taken on all addresses by python3 (process 123)" */
export const describeListener = ({ port, pid, program }: ForeignListener): string =>
  `Port ${port} is taken on all addresses by ${program ?? "another program"}${pid ? ` (process ${pid})` : ""}`;

function readTable(file: string): string[] {
  try {
    return readFileSync(file, "utf8").split("\n").slice(1);
  } catch {
    return []; // A kernel without IPv6.
  }
}

function ownerOf(inode: string): { pid?: number; program?: string } {
  for (const entry of readdirSync("/proc")) {
    if (!/^\d+$/.test(entry)) continue;
    try {
      for (const fd of readdirSync(`/proc/${entry}/fd`)) {
        if (readlinkSync(`/proc/${entry}/fd/${fd}`) === `socket:[${inode}]`) {
          return { pid: Number(entry), program: readFileSync(`/proc/${entry}/comm`, "utf8").trim() };
        }
      }
    } catch {
      // Ended, or another user's.
    }
  }
  return {};
}
