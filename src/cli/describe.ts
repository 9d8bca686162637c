/** A cluster as `howdah status` and its --json tell it. Read from the store, so it holds when no control plane runs, too. */
import { userInterfaces } from "../engines/user-interfaces.ts";
import type { ProviderName } from "../running.ts";
import { type ClusterRow, clusterState, stateChangeReason } from "../store/clusters.ts";
import { eventsOf } from "../store/events.ts";
import type { Units } from "../store/fleets.ts";
import { groupsOf, groupState, illness, instanceState, isFleet } from "../store/instances.ts";
import { unitsOf, wishOf } from "../store/sizes.ts";
import { activeStates, stepState, stepsOf } from "../store/steps.ts";
import type { Db } from "../store/store.ts";
import { nodesOf } from "./find.ts";

/** Times are ISO 8601; null where it has not happened. */
const iso = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString());

const total = ({ ON_DEMAND, SPOT }: Units): number => ON_DEMAND + SPOT;

/** The shape is documented in docs/cli.md: programs read it, so fields are only ever added. Simulated nodes have no pages. */
export async function describeCluster(db: Db, cluster: ClusterRow, provider: ProviderName) {
  const [steps, nodes, events, groups] = await Promise.all([
    stepsOf(db, cluster.id),
    nodesOf(db, cluster.id),
    eventsOf(db, cluster.id),
    groupsOf(db, cluster.id),
  ]);
  const state = clusterState(
    cluster,
    steps.some((step) => activeStates.includes(step.state)),
  );
  const { spec } = cluster;
  const master = cluster.phase === "ended" || provider === "simulated" ? undefined : nodes[0]?.address;
  const pages =
    master === undefined
      ? []
      : userInterfaces(
          master,
          spec.applications.map(({ Name }) => Name),
        );
  return {
    id: cluster.id,
    provider,
    name: spec.name,
    state,
    reason: stateChangeReason(cluster, state, steps.length > 0).Message ?? "",
    releaseLabel: spec.releaseLabel,
    applications: spec.applications.map(({ Name, Version }) => `${Name} ${Version}`),
    logUri: spec.logUri,
    createdAt: iso(cluster.created_at),
    readyAt: iso(cluster.ready_at),
    endedAt: iso(cluster.ended_at),
    userInterfaces: pages,
    instances: nodes.map(({ id, role, address, instance }) => ({
      id,
      role,
      address,
      state: instanceState(instance),
      unhealthy: illness(instance) ?? null,
      daemons: instance.observed?.daemons.map(({ name, state }) => ({ name, state })) ?? [],
    })),
    groups: groups.map((group) => {
      const mine = nodes.flatMap(({ instance }) => (instance.group_id === group.id ? [instance] : []));
      return {
        id: group.id,
        role: group.role,
        name: group.name,
        state: groupState(cluster, group, mine),
        // Of a fleet, units.
        requested: total(wishOf(group)),
        running: total(unitsOf(mine.filter((instance) => instanceState(instance) === "RUNNING"))),
        isFleet: isFleet(group),
      };
    }),
    steps: steps.map((step) => ({
      id: step.id,
      name: step.spec.name,
      state: stepState(step),
      startedAt: iso(step.started_at),
      endedAt: iso(step.ended_at),
      failure: step.failure,
    })),
    warnings: events.filter(({ kind }) => kind === "warning").map(({ message }) => message),
  };
}

export type DescribedCluster = Awaited<ReturnType<typeof describeCluster>>;
