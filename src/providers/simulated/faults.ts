/** Faults that a user orders of simulated nodes. One that waits for what it is for is kept: whatever ends the process, it happens, and once. */
import { z } from "zod";
import { fits } from "./outcomes.ts";
import type { Shelf } from "./shelf.ts";

const stepName = z.string().min(1);

/** `name`: of steps; * stands for anything. */
export const faultSchema = z.discriminatedUnion("kind", [
  /** Its host is gone, and all that was on it. */
  z.strictObject({ kind: z.literal("instance-dies"), instanceId: z.string() }),
  /** Its disk, from now on: full, or such that takes no writes any more, which makes it unhealthy; or well again. */
  z.strictObject({ kind: z.enum(["disk-full", "disk-read-only", "disk-well"]), instanceId: z.string() }),
  /** The next instance that is launched cannot be, however often it is tried. */
  z.strictObject({ kind: z.literal("launch-fails"), message: z.string().min(1).optional() }),
  /** The step that runs ends now; where none runs, the next one. */
  z.strictObject({
    kind: z.literal("step-exits"),
    name: stepName,
    exitCode: z.int().min(0).max(255),
    message: z.string().min(1).optional(),
  }),
  /** The step that runs, or else the next one, does not end by itself. */
  z.strictObject({ kind: z.literal("step-hangs"), name: stepName }),
]);

export type Fault = z.infer<typeof faultSchema>;
export type StepFault = Extract<Fault, { name: string }>;
type Waiting = Exclude<Fault, { instanceId: string }>;

interface Kept {
  fault: Waiting;
  /** Id of the step or instance that it is for. What asks again is told the same again. */
  takenBy?: string;
}

export interface Faults {
  /** Kept until what it is for comes. */
  add(fault: Waiting): void;
  /** Those that still wait. */
  waiting(): Waiting[];
  /** Takes back those that still wait. How many. */
  clear(): number;
  /** For a step that begins: the oldest that fits. */
  ofStep(step: { id: string; name: string }): StepFault | undefined;
  /** For an instance that is to be launched: why it cannot be. */
  ofLaunch(instanceId: string): string | undefined;
}

export function openFaults(shelf: Shelf): Faults {
  const kept = new Map(shelf.all<Kept>("fault").map(({ id, value }) => [Number(id), value]));
  let last = Math.max(0, ...kept.keys());
  const waiting = () => [...kept].filter(([, { takenBy }]) => takenBy === undefined);

  function take<F extends Waiting>(by: string, isFor: (fault: Waiting) => fault is F): F | undefined {
    for (const { fault, takenBy } of kept.values()) if (takenBy === by && isFor(fault)) return fault;
    for (const [number, { fault }] of waiting()) {
      if (!isFor(fault)) continue;
      shelf.put("fault", String(number), { fault, takenBy: by } satisfies Kept);
      kept.set(number, { fault, takenBy: by });
      return fault;
    }
    return undefined;
  }

  return {
    add(fault) {
      shelf.put("fault", String(last + 1), { fault } satisfies Kept);
      last += 1;
      kept.set(last, { fault });
    },
    waiting: () => waiting().map(([, { fault }]) => fault),
    clear() {
      const found = waiting();
      for (const [number] of found) {
        shelf.remove("fault", String(number));
        kept.delete(number);
      }
      return found.length;
    },
    ofStep: ({ id, name }) => take(id, (fault): fault is StepFault => "name" in fault && fits(fault.name, name)),
    ofLaunch(instanceId) {
      const fault = take(instanceId, (one) => one.kind === "launch-fails");
      return fault && (fault.message ?? "so it was ordered by howdah fault");
    },
  };
}
