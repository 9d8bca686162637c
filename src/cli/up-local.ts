/** What `howdah up` looks at before it starts with real nodes. */
import { enginePorts } from "../engines/index.ts";
import { describeListener, foreignListeners } from "../providers/local/listeners.ts";
import { releaseLabels } from "../releases/release.ts";
import { setUpWithProgress } from "./progress.ts";

export async function prepareMachine(): Promise<void> {
  await setUpWithProgress(releaseLabels()[0] ?? "");
  // Another program on 0.0.0.0:8088 takes that port from every node: better said now than by a daemon that cannot start.
  for (const listener of foreignListeners(enginePorts))
    console.warn(`${describeListener(listener)}: daemons of clusters that need it cannot start.`);
}
