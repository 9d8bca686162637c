/** Where `howdah drill spot` and `howdah fault spot-interruption` have an instance taken back: the market is Howdah's own, so its notice comes from here. */
import { z } from "zod";
import { giveNotice } from "../reconcile/interruption.ts";
import { spotPath } from "../running.ts";
import type { Store } from "../store/store.ts";
import { privatePath, readOrder, Refused } from "./private-path.ts";

const orderSchema = z.strictObject({ instanceId: z.string() });

/** POST {"instanceId": "i-…"}; answers with a sentence. `noticeMs`: from the notice to the end. */
export const spotLink = (store: Store, noticeMs: number, secret: string) =>
  privatePath(spotPath, secret, async (request) => {
    const order = orderSchema.safeParse(request.method === "POST" ? await readOrder(request) : undefined);
    if (!order.success) throw new Refused(z.prettifyError(order.error));
    const { instanceId } = order.data;
    const problem = await store.transaction((tx) => giveNotice(tx, instanceId, noticeMs, "somebody has ordered it"));
    if (problem !== undefined) throw new Refused(problem);
    await store.durable();
    return `${instanceId} has its interruption notice: it is terminated in ${noticeMs / 1000} s`;
  });
