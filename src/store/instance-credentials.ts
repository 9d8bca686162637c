/** Credentials of a cluster's nodes: sessions of the role in its instance profile, as EC2 gives them to an instance. */
import { plainSession } from "../access/session.ts";
import { trustsService } from "../access/trust.ts";
import { type AccessKeyRow, findInstanceKey, insertSession } from "./access-keys.ts";
import { defaultInstanceProfile } from "./accounts.ts";
import { findCluster } from "./clusters.ts";
import { findEntity, findEntityById } from "./iam-entities.ts";
import type { Ids } from "./ids.ts";
import type { InstanceRow } from "./instances.ts";
import type { Store } from "./store.ts";

const lifeMs = 6 * 3600_000;
/** New ones are made so long before the old ones end: SDKs ask again a quarter of an hour before it, and use what they have until then. */
const overlapMs = 2 * 3600_000;

/** Undefined where the cluster has ended, its instance profile or role is gone, or the role trusts EC2 no more. */
export async function instanceCredentials(store: Store, ids: Ids, instance: InstanceRow): Promise<AccessKeyRow | undefined> {
  const cluster = await findCluster(store.db, instance.cluster_id);
  if (!cluster || cluster.phase === "ended") return undefined;
  // A name, or an ARN that ends with it.
  const profileName = cluster.spec.shown.Ec2InstanceAttributes?.IamInstanceProfile?.split("/").at(-1) ?? defaultInstanceProfile;
  const profile = await findEntity(store.db, cluster.account_id, "instance-profile", profileName);
  const role = profile?.role_id ? await findEntityById(store.db, profile.role_id) : undefined;
  if (!role || !trustsService(role, "ec2.amazonaws.com")) return undefined;
  const found = await findInstanceKey(store.db, instance.id, role.id, store.now() + overlapMs);
  if (found) return found;
  return store.transaction((tx) =>
    insertSession(tx, ids, {
      accountId: cluster.account_id,
      ownerId: role.id,
      session: plainSession(instance.id, { path: role.path, name: role.name }, tx.now),
      expiresAt: tx.now + lifeMs,
      node: { clusterId: cluster.id, instanceId: instance.id },
    }),
  );
}
