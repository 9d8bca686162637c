/** Is a daemon ready? Every probe gives up after 2 s. */
import { connect } from "node:net";
import { exchange } from "./http.ts";
import type { Probe } from "./manifest.ts";

const timeoutMs = 2_000;

export function probe(one: Probe): Promise<boolean> {
  return ("tcp" in one ? accepts(one.tcp) : answers(one.http)).catch(() => false);
}

export async function allHold(probes: Probe[]): Promise<boolean> {
  return (await Promise.all(probes.map(probe))).every(Boolean);
}

function accepts({ host, port }: { host: string; port: number }): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: timeoutMs });
    const end = (result: boolean) => {
      socket.destroy();
      resolve(result);
    };
    socket.on("connect", () => end(true));
    socket.on("error", () => end(false));
    socket.on("timeout", () => end(false));
  });
}

async function answers(probe: { url: string; path: (string | number)[]; atLeast?: number; equals?: string }): Promise<boolean> {
  const { status, text } = await exchange(new URL(probe.url), { timeoutMs });
  if (status !== 200) return false;
  let value: unknown = JSON.parse(text);
  for (const key of probe.path) value = (value as Record<string | number, unknown> | null | undefined)?.[key];
  if (value === undefined || value === null) return false;
  if (probe.atLeast !== undefined && !(Number(value) >= probe.atLeast)) return false;
  return probe.equals === undefined || String(value) === probe.equals;
}
