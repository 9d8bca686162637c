/**
 * A /24 of 127.64.0.0/10 per cluster, shared by all users of the machine without a file that anyone must be able to write: the claim is an
 * abstract Unix socket @howdah-net/127.64.3 of the control plane, and each node holds @howdah-node/127.64.3.x for its life, so that a network
 * stays taken while nodes of a dead control plane are alive. The kernel gives both back when the processes end.
 */
import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:net";

/** Addresses 127.64.0.0 to 127.127.255.255; the first /24 is left alone so that nothing looks like a network address. */
function* networks(): Generator<string> {
  for (let b = 64; b <= 127; b++) for (let c = b === 64 ? 1 : 0; c <= 255; c++) yield `127.${b}.${c}`;
}

/** Addresses that living nodes hold, of all users of the machine. */
export function heldAddresses(): string[] {
  const names = readFileSync("/proc/net/unix", "utf8").matchAll(/ @howdah-node\/(\S+)$/gm);
  return [...new Set([...names].map((match) => match[1]!))];
}

function listen(network: string): Promise<Server | undefined> {
  const server = createServer((socket) => socket.destroy());
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => (error.code === "EADDRINUSE" ? resolve(undefined) : reject(error)));
    server.listen(`\0howdah-net/${network}`, () => resolve(server.unref()));
  });
}

/** The networks that this process holds. */
export function createNetworkClaims() {
  const held = new Map<string, { network: string; server: Server }>();

  return {
    /**
     * `current` where it is free or held only by `own` (addresses of this cluster's living nodes), else the first free one.
     * Throws where `own` nodes are alive in `current` but another control plane has it: two of them would fight over one cluster.
     */
    async claim(clusterId: string, current: string | undefined, own: string[]): Promise<string> {
      const known = held.get(clusterId);
      if (known) return known.network;
      const foreign = heldAddresses().filter((address) => !own.includes(address));
      const isFree = (network: string) => !foreign.some((address) => address.startsWith(`${network}.`));
      const mustKeep = current !== undefined && own.some((address) => address.startsWith(`${current}.`));
      for (const network of current === undefined ? networks() : [current, ...(mustKeep ? [] : networks())]) {
        if (!isFree(network) && !(mustKeep && network === current)) continue;
        const server = await listen(network);
        if (!server) continue;
        held.set(clusterId, { network, server });
        return network;
      }
      throw new Error(
        mustKeep
          ? `network ${current} of cluster ${clusterId} is held by another control plane: is one still running for this data folder? Stop it, then start again`
          : "no free network in 127.64.0.0/10: terminate clusters on this machine",
      );
    },

    async release(clusterId: string): Promise<void> {
      const claim = held.get(clusterId);
      held.delete(clusterId);
      await new Promise<void>((resolve) => (claim ? claim.server.close(() => resolve()) : resolve()));
    },
  };
}
