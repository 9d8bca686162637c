/** Is a daemon ready? Every probe gives up after 2 s. */
import { connect } from "node:net";
import { exchange } from "./http.ts";
import type { Daemon, Probe } from "./manifest.ts";

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

/** Why a node is not fit for a daemon's work, by the daemon's own word. undefined where it is, or says nothing. */
export async function unfitness({ url, path, why }: NonNullable<Daemon["healthy"]>): Promise<string | undefined> {
  const { status, text } = await exchange(new URL(url), { timeoutMs, headers: { accept: "application/json" } });
  if (status !== 200) return undefined;
  const json: unknown = JSON.parse(text);
  return at(json, path) === false ? String(at(json, why) ?? "it does not say why").trim() : undefined;
}

const at = (json: unknown, path: readonly (string | number)[]): unknown =>
  path.reduce<unknown>((value, key) => (value as Record<string | number, unknown> | null | undefined)?.[key], json);

async function answers(probe: { url: string; path: (string | number)[]; atLeast?: number; equals?: string }): Promise<boolean> {
  const { status, text } = await exchange(new URL(probe.url), { timeoutMs });
  if (status !== 200) return false;
  const value = at(JSON.parse(text), probe.path);
  if (value === undefined || value === null) return false;
  if (probe.atLeast !== undefined && !(Number(value) >= probe.atLeast)) return false;
  return probe.equals === undefined || String(value) === probe.equals;
}
