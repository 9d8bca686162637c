/** What the spot market has for a cluster now, and whom of its instances it takes back. */
import type { SpotMarket } from "../market/spot.ts";
import { onDemandPrice } from "../releases/prices.ts";
import { type ClusterRow, findCluster } from "../store/clusters.ts";
import { bidOf, type Offer } from "../store/fleets.ts";
import { groupsOf, type InstanceRow, instancesOf, livingSpot } from "../store/instances.ts";
import { zoneOf } from "../store/ec2-nodes.ts";
import type { Db, Tx } from "../store/store.ts";
import type { ReconcileContext } from "./context.ts";
import { giveNotice } from "./interruption.ts";

/** Spot instances that have no notice, by their pools (a type in a zone). */
async function pools(db: Db): Promise<Map<string, { instance: InstanceRow; cluster: ClusterRow; zone: string }[]>> {
  const found = new Map<string, { instance: InstanceRow; cluster: ClusterRow; zone: string }[]>();
  for (const clusterId of await livingSpot(db)) {
    const cluster = (await findCluster(db, clusterId))!;
    const zone = zoneOf(cluster);
    for (const instance of await instancesOf(db, clusterId)) {
      if (instance.market !== "SPOT" || instance.status === "terminated" || instance.interrupted_at !== null) continue;
      const pool = poolName(instance.instance_type, zone);
      found.set(pool, [...(found.get(pool) ?? []), { instance, cluster, zone }]);
    }
  }
  return found;
}

const poolName = (type: string, zone: string) => `${type} ${zone}`;

/** In the transaction that takes of it, so that two clusters do not both count on the same. */
export async function offerFor({ market }: Pick<ReconcileContext, "market">, tx: Tx, cluster: ClusterRow): Promise<Offer> {
  const zone = zoneOf(cluster);
  const taken = market.isLimited ? await pools(tx.db) : new Map<string, unknown[]>();
  return {
    price: (type) => market.price(type, zone, tx.now),
    room: (type) => market.capacity(type, zone, tx.now) - (taken.get(poolName(type, zone))?.length ?? 0),
  };
}

/** Gives notice to those in use whose bid is below the price now, and to the newest of those that are more than there is capacity for. */
export async function takeBack(tx: Tx, market: SpotMarket): Promise<void> {
  for (const members of (await pools(tx.db)).values()) {
    const staying = [];
    for (const one of members) {
      const { instance, cluster, zone } = one;
      const price = market.price(instance.instance_type, zone, tx.now);
      const group = (await groupsOf(tx.db, cluster.id)).find(({ id }) => id === instance.group_id)!;
      const bid = bidOf(group, instance);
      if (price <= bid || onDemandPrice(instance.instance_type) === Infinity) staying.push(one);
      else
        await giveNotice(
          tx,
          instance.id,
          market.noticeMs,
          `the price of ${instance.instance_type} in ${zone} is ${price}, and the bid ${bid}`,
        );
    }
    const [first] = staying;
    if (!first) continue;
    const { instance_type: type } = first.instance;
    const surplus = staying.length - market.capacity(type, first.zone, tx.now);
    const newest = staying.toSorted((a, b) => b.instance.created_at - a.instance.created_at || b.instance.ordinal - a.instance.ordinal);
    for (const { instance, zone } of surplus > 0 ? newest.slice(0, surplus) : [])
      await giveNotice(tx, instance.id, market.noticeMs, `there is no capacity for it any more of ${type} in ${zone}`);
  }
}
