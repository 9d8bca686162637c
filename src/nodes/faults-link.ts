/** Where `howdah fault` orders faults of simulated nodes: a private path of the control plane, for who has the secret of its data folder. */
import { timingSafeEqual } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { z } from "zod";
import { type Fault, faultSchema, type Faults, type StepFault } from "../providers/simulated/faults.ts";
import { fits } from "../providers/simulated/outcomes.ts";
import type { SimulatedProvider } from "../providers/simulated/provider.ts";
import { faultPath } from "../running.ts";
import type { Store } from "../store/store.ts";

/** An order is a few lines. */
const largest = 64 << 10;

/** What is asked for cannot be; says why. */
class Refused extends Error {}

/** POST orders a fault (JSON), GET lists those that wait, DELETE takes them back. Answers are sentences, or GET's JSON. */
export function faultsLink(store: Store, provider: SimulatedProvider, faults: Faults, secret: string) {
  async function order(fault: Fault): Promise<string> {
    switch (fault.kind) {
      case "instance-dies": {
        const node = provider.nodes.get(fault.instanceId);
        if (!node?.isRunning) throw new Refused(`${fault.instanceId} does not run: only an instance that runs can die`);
        await provider.reclaim(fault.instanceId);
        await store.transaction((tx) => tx.wake("instance", fault.instanceId));
        return `${fault.instanceId} is gone, and all that was on it`;
      }
      case "launch-fails":
        faults.add(fault);
        return "the next instance that is to be launched cannot be";
      default:
        return orderOfStep(fault);
    }
  }

  function orderOfStep(fault: StepFault): string {
    const what = fault.kind === "step-hangs" ? "does not end by itself" : `ends with exit code ${fault.exitCode}`;
    for (const node of provider.nodes.values())
      for (const { id, name } of node.runningSteps()) {
        if (!fits(fault.name, name)) continue;
        if (fault.kind === "step-hangs") node.hangStep(id);
        else node.exitStep(id, fault);
        return `${id} (${name}), which runs, ${what}`;
      }
    faults.add(fault);
    return `the next step that is called ${fault.name} ${what}`;
  }

  async function answer(request: IncomingMessage): Promise<unknown> {
    if (request.method === "GET") return faults.waiting();
    if (request.method === "DELETE") return `${faults.clear()} that waited are taken back`;
    if (request.method !== "POST") throw new Refused(`${request.method} is no way to order a fault`);
    const fault = faultSchema.safeParse(JSON.parse(await readBody(request)));
    if (!fault.success) throw new Refused(z.prettifyError(fault.error));
    return order(fault.data);
  }

  return (request: IncomingMessage, response: ServerResponse): boolean => {
    if (request.url !== faultPath) return false;
    const send = (status: number, body: unknown) =>
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    if (!isSecret(request.headers.authorization, secret)) send(403, "not the secret of this data folder");
    else
      answer(request).then(
        (body) => send(200, body),
        (error: Error) => send(error instanceof Refused || error instanceof SyntaxError ? 400 : 500, error.message),
      );
    return true;
  };
}

function isSecret(header: string | undefined, secret: string): boolean {
  const [given, right] = [Buffer.from(header ?? ""), Buffer.from(`Bearer ${secret}`)];
  return given.length === right.length && timingSafeEqual(given, right);
}

async function readBody(request: IncomingMessage): Promise<string> {
  let text = "";
  for await (const piece of request.setEncoding("utf8")) {
    text += piece;
    if (text.length > largest) throw new Refused("an order of a fault is not so long");
  }
  return text;
}
