import type { WakeKind } from "../store/wakes.ts";
import { clusterReconciler } from "./clusters.ts";
import type { ReconcileContext } from "./context.ts";
import { instanceReconciler } from "./instances.ts";
import type { Reconciler } from "./loop.ts";
import { stepsReconciler } from "./steps.ts";
import { watchEveryMs, watchReconciler } from "./watch.ts";

/** All but the trails', which need S3. `watchMs`: how often running instances are looked at. */
export const createReconcilers = (context: ReconcileContext, watchMs = watchEveryMs): Record<Exclude<WakeKind, "trail">, Reconciler> => ({
  cluster: clusterReconciler(context),
  instance: instanceReconciler(context),
  steps: stepsReconciler(context),
  watch: watchReconciler(context, watchMs),
});
