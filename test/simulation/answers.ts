/** Do the API's answers agree with one another, and with what events have told? */
import type {
  DescribeClusterOutput,
  DescribeStepOutput,
  Instance,
  ListClustersOutput,
  ListInstanceFleetsOutput,
  ListInstanceGroupsOutput,
  ListInstancesOutput,
  ListStepsOutput,
} from "@aws-sdk/client-emr";
import type { Promises } from "./promises.ts";
import { must } from "./violation.ts";

export type Ask = <T>(operation: string, input: object) => Promise<T>;

const agree = "Answers agree";

interface Timeline {
  CreationDateTime?: Date | undefined;
  StartDateTime?: Date | undefined;
  ReadyDateTime?: Date | undefined;
  EndDateTime?: Date | undefined;
}

function checkTimeline(id: string, timeline: Timeline = {}): void {
  const { CreationDateTime: created, StartDateTime: started, ReadyDateTime: ready, EndDateTime: ended } = timeline;
  const times = [created, started ?? ready, ended].flatMap((time) => time?.getTime() ?? []);
  must(
    created !== undefined && times.every((time, index) => index === 0 || times[index - 1]! <= time),
    "Timelines are monotonic",
    () => `${id}: ${JSON.stringify(timeline)}`,
  );
}

/** All that is said of one cluster. Ids and states of its instances. */
export async function checkAnswers(
  clusterId: string,
  ask: Ask,
  told: ReadonlyMap<string, string>,
  promises: Promises,
): Promise<[id: string, state: string][]> {
  const ClusterId = clusterId;
  const [described, listed, instances, steps] = await Promise.all([
    ask<DescribeClusterOutput>("DescribeCluster", { ClusterId }),
    ask<ListClustersOutput>("ListClusters", {}),
    ask<ListInstancesOutput>("ListInstances", { ClusterId }),
    allSteps(ClusterId, ask),
  ]);
  const cluster = described.Cluster!;
  const { Status } = cluster;
  promises.checkCluster(cluster);
  checkTimeline(clusterId, Status?.Timeline);
  must(Status?.State === told.get(clusterId), agree, () => `${clusterId} is ${Status?.State}, and events say ${told.get(clusterId)}`);
  const { Id, Name, ClusterArn } = cluster;
  const summary = listed.Clusters?.find((one) => one.Id === clusterId);
  const short = JSON.stringify({ Id, Name, Status, ClusterArn });
  const found = summary && JSON.stringify({ Id: summary.Id, Name: summary.Name, Status: summary.Status, ClusterArn: summary.ClusterArn });
  must(short === found, agree, () => `DescribeCluster says ${short}, ListClusters ${found}`);
  const isBusy = steps.some(({ Status }) => ["PENDING", "RUNNING", "CANCEL_PENDING"].includes(Status?.State ?? ""));
  if (Status?.State === "RUNNING" || Status?.State === "WAITING")
    must(
      isBusy === (Status.State === "RUNNING"),
      agree,
      () => `${clusterId} is ${Status.State}, and has ${isBusy ? "" : "no "}active steps`,
    );

  for (const { Id = "", Status } of steps) {
    must(Status?.State === told.get(Id), agree, () => `${Id} is ${Status?.State}, and events say ${told.get(Id)}`);
    checkTimeline(Id, Status?.Timeline);
  }
  const [newest] = steps;
  if (newest) {
    const { Step } = await ask<DescribeStepOutput>("DescribeStep", { ClusterId, StepId: newest.Id });
    must(
      JSON.stringify(Step) === JSON.stringify(newest),
      agree,
      () => `DescribeStep says ${JSON.stringify(Step)}, ListSteps ${JSON.stringify(newest)}`,
    );
  }

  const states: [string, string][] = [];
  for (const { Ec2InstanceId = "", Status } of instances.Instances ?? []) {
    checkTimeline(Ec2InstanceId, Status?.Timeline);
    states.push([Ec2InstanceId, Status?.State ?? ""]);
    must(
      Status?.State !== "RUNNING" || Status.Timeline?.ReadyDateTime !== undefined,
      agree,
      () => `${Ec2InstanceId} is RUNNING, and never was ready`,
    );
  }
  const running = (instances.Instances ?? []).filter((one) => one.Status?.State === "RUNNING");
  await (cluster.InstanceCollectionType === "INSTANCE_FLEET" ? checkFleets : checkGroups)(ClusterId, ask, told, running);
  return states;
}

type CheckCollections = (ClusterId: string, ask: Ask, told: ReadonlyMap<string, string>, running: readonly Instance[]) => Promise<void>;

const checkGroups: CheckCollections = async (ClusterId, ask, told, all) => {
  const groups = await ask<ListInstanceGroupsOutput>("ListInstanceGroups", { ClusterId });
  for (const { Id = "", Status, RunningInstanceCount } of groups.InstanceGroups ?? []) {
    checkTimeline(Id, Status?.Timeline);
    must(Status?.State === told.get(Id), agree, () => `${Id} is ${Status?.State}, and events say ${told.get(Id)}`);
    const running = all.filter((one) => one.InstanceGroupId === Id).length;
    must(
      running === RunningInstanceCount,
      agree,
      () => `${Id} has ${RunningInstanceCount} running instances, and ListInstances has ${running}`,
    );
  }
};

const checkFleets: CheckCollections = async (ClusterId, ask, told, all) => {
  const { InstanceFleets = [] } = await ask<ListInstanceFleetsOutput>("ListInstanceFleets", { ClusterId });
  for (const { Id = "", Status, ...fleet } of InstanceFleets) {
    checkTimeline(Id, Status?.Timeline);
    must(Status?.State === told.get(Id), agree, () => `${Id} is ${Status?.State}, and events say ${told.get(Id)}`);
    const weights = new Map(fleet.InstanceTypeSpecifications?.map((one) => [one.InstanceType, one.WeightedCapacity ?? 1]));
    const has = { ON_DEMAND: fleet.ProvisionedOnDemandCapacity ?? 0, SPOT: fleet.ProvisionedSpotCapacity ?? 0 };
    const running = { ON_DEMAND: 0, SPOT: 0 };
    for (const one of all) if (one.InstanceFleetId === Id) running[one.Market!] += weights.get(one.InstanceType) ?? 0;
    const isLess = running.ON_DEMAND > has.ON_DEMAND || running.SPOT > has.SPOT;
    must(!isLess, agree, () => `${Id} has capacities ${JSON.stringify(has)}, and ListInstances has ${JSON.stringify(running)} running`);
  }
};

async function allSteps(ClusterId: string, ask: Ask): Promise<NonNullable<ListStepsOutput["Steps"]>> {
  const steps = [];
  for (let Marker: string | undefined; ;) {
    const page = await ask<ListStepsOutput>("ListSteps", Marker ? { ClusterId, Marker } : { ClusterId });
    steps.push(...(page.Steps ?? []));
    Marker = page.Marker;
    if (!Marker) return steps;
  }
}
