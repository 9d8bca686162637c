/**
 * Credentials of a cluster's nodes, as EC2 gives them to an instance: sessions of the role in its instance profile, or, for what a step with a runtime
 * role starts, of that one. Those of EMRFS are sessions of their own, which remember for whom they are: the front door maps each request to a role.
 */
import { cannotTake, type EmrfsUser, fitEverywhere } from "../access/emrfs-mappings.ts";
import { plainSession } from "../access/session.ts";
import { trustsService } from "../access/trust.ts";
import { sameText } from "../aws/sigv4-verify.ts";
import { type AccessKeyRow, findInstanceKey, findKey, insertSession } from "./access-keys.ts";
import { type ClusterRow, findCluster } from "./clusters.ts";
import type { IamEntity } from "./iam-entities.ts";
import type { Ids } from "./ids.ts";
import type { InstanceRow } from "./instances.ts";
import { nodeRole, assumableRole } from "./runtime-roles.ts";
import { findSteps } from "./steps.ts";
import type { Store } from "./store.ts";

const lifeMs = 6 * 3600_000;
/** New ones are made so long before the old ones end: SDKs ask again a quarter of an hour before it, and use what they have until then. */
const overlapMs = 2 * 3600_000;
/** A runtime role's session ends as early as any role's. */
const stepLifeMs = 3600_000;
const stepOverlapMs = 30 * 60_000;

/** Undefined where the cluster has ended, its instance profile or role is gone, or the role trusts EC2 no more. */
export async function instanceCredentials(store: Store, ids: Ids, instance: InstanceRow): Promise<AccessKeyRow | undefined> {
  const cluster = await livingCluster(store, instance);
  const role = cluster && (await nodeRole(store.db, cluster));
  if (!role || !trustsService(role, "ec2.amazonaws.com")) return undefined;
  return sessionOf(store, ids, instance, role, { name: instance.id, lifeMs, overlapMs });
}

/**
 * For EMRFS on the node, as this user. Undefined where instanceCredentials is; the reason, where every request of the user would be denied because its
 * role cannot be taken: S3's answer to a HEAD has no words, and most of what S3A asks is one.
 */
export async function emrfsCredentials(
  store: Store,
  ids: Ids,
  instance: InstanceRow,
  { name, groups }: EmrfsUser,
): Promise<AccessKeyRow | { problem: string } | undefined> {
  const cluster = await livingCluster(store, instance);
  const own = cluster && (await nodeRole(store.db, cluster));
  if (!own || !trustsService(own, "ec2.amazonaws.com")) return undefined;
  const user = { name, groups: [...new Set(groups)].toSorted() };
  const mapping = fitEverywhere(cluster!.spec.emrfsRoles ?? [], user);
  const role = mapping && (await assumableRole(store.db, cluster!, mapping.role, null));
  if (role && "problem" in role) return { problem: cannotTake(mapping, user, role.problem) };
  return sessionOf(store, ids, instance, own, { name: instance.id, emrfs: user, lifeMs, overlapMs });
}

/** Of a running step with a runtime role, on any node of its cluster. Undefined where there is none, or the role is not to be had any more. */
export async function stepCredentials(store: Store, ids: Ids, instance: InstanceRow, stepId: string): Promise<AccessKeyRow | undefined> {
  const cluster = await livingCluster(store, instance);
  const [step] = cluster ? await findSteps(store.db, cluster.id, [stepId]) : [];
  if (!step?.spec.executionRole || step.state !== "RUNNING") return undefined;
  const { arn, sourceIdentity } = step.spec.executionRole;
  const role = await assumableRole(store.db, cluster!, arn, sourceIdentity);
  if ("problem" in role) return undefined;
  return sessionOf(store, ids, instance, role, { name: stepId, sourceIdentity, lifeMs: stepLifeMs, overlapMs: stepOverlapMs });
}

/** Of a user name and a password that GetClusterSessionCredentials has given for the instance's cluster. Undefined where they are not, or no more. */
export async function sessionCredentials(
  store: Store,
  instance: InstanceRow,
  user: string,
  password: string,
): Promise<AccessKeyRow | undefined> {
  const key = await findKey(store.db, user);
  const isGiven = key?.cluster_id === instance.cluster_id && key.instance_id === null && sameText(key.secret_access_key, password);
  return isGiven && key.disabled_at === null && key.expires_at! > store.now() ? key : undefined;
}

/** Of an instance that it has not let go. */
async function livingCluster(store: Store, instance: InstanceRow): Promise<ClusterRow | undefined> {
  if (instance.wanted === 0) return undefined;
  const cluster = await findCluster(store.db, instance.cluster_id);
  return cluster && cluster.phase !== "ended" ? cluster : undefined;
}

interface Wanted {
  name: string;
  sourceIdentity?: string | null;
  emrfs?: EmrfsUser;
  lifeMs: number;
  overlapMs: number;
}

/** The instance's session of this role and name that lasts long enough, made where there is none. */
async function sessionOf(store: Store, ids: Ids, instance: InstanceRow, role: IamEntity, wanted: Wanted): Promise<AccessKeyRow> {
  const { name, sourceIdentity = null, emrfs } = wanted;
  const found = await findInstanceKey(store.db, instance.id, role.id, { name, emrfs }, store.now() + wanted.overlapMs);
  if (found) return found;
  return store.transaction((tx) =>
    insertSession(tx, ids, {
      accountId: role.account_id,
      ownerId: role.id,
      session: { ...plainSession(name, { path: role.path, name: role.name }, tx.now), sourceIdentity, ...(emrfs && { emrfs }) },
      expiresAt: tx.now + wanted.lifeMs,
      clusterId: instance.cluster_id,
      instanceId: instance.id,
    }),
  );
}
