/** Where `howdah fault` orders faults of simulated nodes: a private path of the control plane, for who has the secret of its data folder. */
import type { IncomingMessage } from "node:http";
import { z } from "zod";
import { diskStates } from "../providers/simulated/disk.ts";
import { type Fault, faultSchema, type Faults, type StepFault } from "../providers/simulated/faults.ts";
import { fits } from "../providers/simulated/outcomes.ts";
import type { SimulatedProvider } from "../providers/simulated/provider.ts";
import { faultPath } from "../running.ts";
import type { Store } from "../store/store.ts";
import { privatePath, readOrder, Refused } from "./private-path.ts";

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
      case "disk-full":
      case "disk-read-only":
      case "disk-well": {
        const node = provider.nodes.get(fault.instanceId);
        if (!node?.isRunning) throw new Refused(`${fault.instanceId} does not run: it has no disk`);
        const state = diskStates.find((one) => fault.kind === `disk-${one}`);
        node.setDisk(state);
        return state
          ? `the disk of ${fault.instanceId} is ${state}, until howdah fault disk-well`
          : `the disk of ${fault.instanceId} is well`;
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
    const fault = faultSchema.safeParse(await readOrder(request));
    if (!fault.success) throw new Refused(z.prettifyError(fault.error));
    return order(fault.data);
  }

  return privatePath(faultPath, secret, answer);
}
