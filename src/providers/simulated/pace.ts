/** How long things take on simulated nodes, in milliseconds. */
export interface Pace {
  /** From the launch to the agent's first report. */
  bootMs: number;
  bootstrapActionMs: number;
  /** From the last bootstrap action to the daemons' readiness. */
  daemonsMs: number;
  /** A step's run, where no rule says otherwise. */
  stepMs: number;
  /** From the order to go out of service to when nothing on the node is needed. */
  decommissionMs: number;
  /** From the order to stop to the last log. */
  stopMs: number;
}

export const paces = {
  /** All states, one after the other, at once. */
  instant: { bootMs: 0, bootstrapActionMs: 0, daemonsMs: 0, stepMs: 0, decommissionMs: 0, stopMs: 0 },
  /** About as EMR does it. */
  real: { bootMs: 120_000, bootstrapActionMs: 20_000, daemonsMs: 150_000, stepMs: 30_000, decommissionMs: 60_000, stopMs: 30_000 },
} as const satisfies Record<string, Pace>;
