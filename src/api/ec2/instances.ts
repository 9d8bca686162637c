/** Instances: the nodes of clusters. They come and go with these; RunJobFlow makes them, and so does nothing here. */
import type {
  DescribeInstanceAttributeRequest,
  DescribeInstancesRequest,
  DescribeInstanceStatusRequest,
  Instance,
  InstanceStateChange,
  Reservation,
  TerminateInstancesRequest,
} from "@aws-sdk/client-ec2";
import { AwsError } from "../../aws/errors.ts";
import { rootDevice } from "../../releases/ebs.ts";
import { addEvent } from "../../store/events.ts";
import { requestTermination } from "../../store/instances.ts";
import type { Ec2Context, Ec2Request } from "./context.ts";
import { unsupported } from "./errors.ts";
import type { FilterTable } from "./filters.ts";
import { instanceFilters } from "./instance-filters.ts";
import { groupIdentifiers, instanceShape } from "./instance-shape.ts";
import { type Listing, named, select } from "./listing.ts";
import { allNodes, type NodeFacts } from "./nodes.ts";

interface Shown {
  node: NodeFacts;
  shape: Instance;
}

const listing = (filters: FilterTable<Shown>): Listing<Shown> => ({
  thing: "instance",
  id: ({ node }) => node.instance.id,
  filters,
  tags: ({ node }) => node.tags,
  position: ({ node: { cluster, instance } }) => [cluster.created_at, cluster.id, instance.ordinal],
  idsOrPages: true,
});

async function shown({ store }: Ec2Context, request: Ec2Request): Promise<Shown[]> {
  return (await allNodes(store, request)).map((node) => ({ node, shape: instanceShape(node, request) }));
}

/** Each instance group of a cluster is a reservation. */
export async function DescribeInstances(context: Ec2Context, input: DescribeInstancesRequest, request: Ec2Request) {
  const all = await shown(context, request);
  const { items, NextToken } = select(all, { ...input, ids: input.InstanceIds }, listing(instanceFilters(request)));
  const reservations = new Map<string, Reservation & { Instances: Instance[] }>();
  for (const { node, shape } of items) {
    const { reservationId: ReservationId } = node;
    const reservation = reservations.get(ReservationId) ?? { ReservationId, OwnerId: request.accountId, Groups: [], Instances: [] };
    reservations.set(ReservationId, reservation);
    reservation.Instances.push(shape);
  }
  return { Reservations: [...reservations.values()], NextToken };
}

/** Of running ones only, unless all are asked for. Its checks have passed once the node's agent has reported. */
export async function DescribeInstanceStatus(context: Ec2Context, input: DescribeInstanceStatusRequest, request: Ec2Request) {
  const all = await shown(context, request);
  const asked = named(all, input.InstanceIds ?? [], listing({}));
  const told = input.IncludeAllInstances ? asked : asked.filter(({ shape }) => shape.State?.Name === "running");
  const check = ({ node }: Shown) => {
    if (node.state.Name !== "running") return { Status: "not-applicable" as const };
    const Status = node.instance.observed ? ("passed" as const) : ("initializing" as const);
    return { Status: Status === "passed" ? ("ok" as const) : Status, Details: [{ Name: "reachability" as const, Status }] };
  };
  const { items, NextToken } = select(
    told,
    { Filters: input.Filters, MaxResults: input.MaxResults, NextToken: input.NextToken },
    listing({
      "availability-zone": ({ node }) => node.zone,
      "instance-state-code": ({ node }) => node.state.Code,
      "instance-state-name": ({ node }) => node.state.Name,
      "instance-status.status": (one) => check(one).Status,
      "instance-status.reachability": (one) => check(one).Details?.[0]?.Status,
      "system-status.status": (one) => check(one).Status,
      "system-status.reachability": (one) => check(one).Details?.[0]?.Status,
    }),
  );
  const InstanceStatuses = items.map((one) => ({
    InstanceId: one.node.instance.id,
    AvailabilityZone: one.node.zone,
    InstanceState: one.node.state,
    InstanceStatus: check(one),
    SystemStatus: check(one),
    Events: [],
  }));
  return { InstanceStatuses, NextToken };
}

export async function DescribeInstanceAttribute(context: Ec2Context, input: DescribeInstanceAttributeRequest, request: Ec2Request) {
  const [{ node, shape }] = named(await shown(context, request), [input.InstanceId ?? ""], listing({})) as [Shown];
  const value = attribute(input.Attribute, node, shape);
  if (!value) throw unsupported(`DescribeInstanceAttribute: ${input.Attribute} is nothing that Howdah's nodes have.`);
  return { InstanceId: shape.InstanceId, ...value };
}

function attribute(name: string | undefined, node: NodeFacts, shape: Instance): object | undefined {
  switch (name) {
    case "instanceType":
      return { InstanceType: { Value: shape.InstanceType } };
    case "disableApiTermination":
      return { DisableApiTermination: { Value: isProtected(node) } };
    case "instanceInitiatedShutdownBehavior":
      return { InstanceInitiatedShutdownBehavior: { Value: "terminate" } };
    case "rootDeviceName":
      return { RootDeviceName: { Value: rootDevice } };
    case "blockDeviceMapping":
      return { BlockDeviceMappings: shape.BlockDeviceMappings };
    case "groupSet":
      return { Groups: groupIdentifiers(node) };
    case "ebsOptimized":
      return { EbsOptimized: { Value: shape.EbsOptimized } };
    case "enaSupport":
      return { EnaSupport: { Value: true } };
    case "sourceDestCheck":
      return { SourceDestCheck: { Value: true } };
    case "productCodes":
      return { ProductCodes: [] };
    case "userData":
      return { UserData: {} };
    case "kernel":
    case "ramdisk":
    case "sriovNetSupport":
      return {};
    case "disableApiStop":
      return { DisableApiStop: { Value: true } };
    default:
      return undefined;
  }
}

/** EMR's termination protection is EC2's on each node. */
const isProtected = ({ cluster }: NodeFacts) => cluster.termination_protected === 1;

/**
 * The nodes' processes end as if their hosts had died, and their clusters do what they do then. All or none: one node of a protected
 * cluster refuses the request. One that has ended stays so.
 */
export async function TerminateInstances({ store }: Ec2Context, input: TerminateInstancesRequest, request: Ec2Request) {
  return store.transaction(async (tx) => {
    const asked = named(await allNodes(tx, request), input.InstanceIds ?? [], { thing: "instance", id: ({ instance }) => instance.id });
    const safe = asked.find((node) => isProtected(node) && node.state.Name !== "terminated");
    if (safe)
      throw new AwsError(
        "OperationNotPermitted",
        `The instance '${safe.instance.id}' may not be terminated. Its cluster ${safe.cluster.id} has termination protection: take it off with SetTerminationProtection and try again.`,
      );
    const changes: InstanceStateChange[] = [];
    for (const { instance, cluster, state } of asked) {
      const isLiving = state.Name === "pending" || state.Name === "running";
      if (isLiving) {
        await requestTermination(tx, instance.id);
        await addEvent(tx, cluster.id, "instance", `${instance.id}: TerminateInstances by ${request.principal.arn}`);
        await tx.wake("instance", instance.id);
      }
      const now = isLiving ? { Code: 32, Name: "shutting-down" as const } : state;
      changes.push({ InstanceId: instance.id, PreviousState: state, CurrentState: now });
    }
    return { TerminatingInstances: changes };
  });
}
