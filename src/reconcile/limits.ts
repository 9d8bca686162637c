/** How long reconcilers wait for what others do, in milliseconds. */

/** Bootstrap actions included; EMR gives up after about as long. */
export const readyWithinMs = 60 * 60_000;
/** How long nodes may take to save, to end their daemons and to ship their last logs before they are removed: one that hangs, since each of these has a limit. */
export const stoppingMs = 5 * 60_000;
