/** Route tables: kept and shown. Whether a subnet has a route to an internet gateway decides which of EMR's security groups a cluster gets. */
import type {
  AssociateRouteTableRequest,
  CreateRouteRequest,
  CreateRouteTableRequest,
  DeleteRouteRequest,
  DeleteRouteTableRequest,
  DescribeRouteTablesRequest,
  DisassociateRouteTableRequest,
  ReplaceRouteRequest,
  ReplaceRouteTableAssociationRequest,
  RouteTable as RouteTableShape,
  Tag,
} from "@aws-sdk/client-ec2";
import { AwsError } from "../../aws/errors.ts";
import {
  changeSpec,
  deleteResource,
  insertResource,
  listResources,
  type Route,
  type RouteTable,
  type RouteTableAssociation,
} from "../../store/ec2-resources.ts";
import { putResourceTags, resourceTags } from "../../store/ec2-tags.ts";
import type { Db, Tx } from "../../store/store.ts";
import { blockText, parseBlock } from "./cidr.ts";
import type { Ec2Context, Ec2Request } from "./context.ts";
import { dependencyViolation, invalidValue, missing, takeOnly, unsupported } from "./errors.ts";
import { resourceListing, select } from "./listing.ts";
import { theResource } from "./lookup.ts";
import { newTags } from "./tags-input.ts";

/** `attached`: the gateways that have a VPC; a route to another leads nowhere. */
function tableShape(table: RouteTable, vpcCidr: string, attached: ReadonlySet<string>, request: Ec2Request, Tags: Tag[]): RouteTableShape {
  const { id, vpcId, spec } = table;
  return {
    RouteTableId: id,
    VpcId: vpcId ?? undefined,
    OwnerId: request.accountId,
    Associations: spec.associations.map((association) => ({
      RouteTableAssociationId: association.id,
      RouteTableId: id,
      SubnetId: association.subnetId ?? undefined,
      Main: association.subnetId === null,
      AssociationState: { State: "associated" },
    })),
    Routes: [
      { DestinationCidrBlock: vpcCidr, GatewayId: "local", Origin: "CreateRouteTable", State: "active" },
      ...spec.routes.map(({ cidr, to }) => ({
        DestinationCidrBlock: cidr,
        GatewayId: to,
        Origin: "CreateRoute" as const,
        State: attached.has(to) ? ("active" as const) : ("blackhole" as const),
      })),
    ],
    PropagatingVgws: [],
    Tags,
  };
}

export async function CreateRouteTable({ store, ids }: Ec2Context, input: CreateRouteTableRequest, request: Ec2Request) {
  takeOnly("CreateRouteTable", input, ["VpcId", "TagSpecifications", "ClientToken"]);
  const tags = newTags("route-table", input.TagSpecifications);
  return store.transaction(async (tx) => {
    const vpc = await theResource(tx.db, request, "vpc", input.VpcId);
    const spec = { routes: [], associations: [] };
    const table = await insertResource(tx, request, "route-table", { id: ids.ec2("rtb"), vpcId: vpc.id, spec });
    await putResourceTags(tx, request, table.id, tags);
    return { RouteTable: tableShape(table, vpc.spec.cidr, new Set(), request, tags), ClientToken: input.ClientToken };
  });
}

export async function DescribeRouteTables({ store }: Ec2Context, input: DescribeRouteTablesRequest, request: Ec2Request) {
  const tags = await resourceTags(store.db, request);
  const cidrs = new Map((await listResources(store.db, request, "vpc")).map(({ id, spec }) => [id, spec.cidr]));
  const gateways = await listResources(store.db, request, "internet-gateway");
  const attached = new Set(gateways.filter(({ vpcId }) => vpcId !== null).map(({ id }) => id));
  const shape = (table: RouteTable) => tableShape(table, cidrs.get(table.vpcId ?? "") ?? "", attached, request, tags.get(table.id) ?? []);
  const listing = resourceListing(
    "route-table",
    {
      "association.main": (table) => shape(table).Associations?.map(({ Main }) => Main) ?? [],
      "association.route-table-association-id": ({ spec }) => spec.associations.map(({ id }) => id),
      "association.route-table-id": ({ id, spec }) => (spec.associations.length > 0 ? id : undefined),
      "association.subnet-id": ({ spec }) => spec.associations.map(({ subnetId }) => subnetId),
      "association.gateway-id": () => [],
      "owner-id": () => request.accountId,
      "route-table-id": ({ id }) => id,
      "route.destination-cidr-block": (table) => shape(table).Routes?.map(({ DestinationCidrBlock }) => DestinationCidrBlock) ?? [],
      "route.gateway-id": (table) => shape(table).Routes?.map(({ GatewayId }) => GatewayId) ?? [],
      "route.origin": (table) => shape(table).Routes?.map(({ Origin }) => Origin) ?? [],
      "route.state": (table) => shape(table).Routes?.map(({ State }) => State) ?? [],
      "vpc-id": ({ vpcId }) => vpcId,
    },
    tags,
  );
  const tables = await listResources(store.db, request, "route-table");
  const { items, NextToken } = select(tables, { ...input, ids: input.RouteTableIds }, listing);
  return { RouteTables: items.map(shape), NextToken };
}

export async function DeleteRouteTable({ store }: Ec2Context, input: DeleteRouteTableRequest, request: Ec2Request) {
  await store.transaction(async (tx) => {
    const table = await theResource(tx.db, request, "route-table", input.RouteTableId);
    if (table.spec.associations.length > 0)
      throw dependencyViolation(`The routeTable '${table.id}' has dependencies and cannot be deleted.`);
    await deleteResource(tx, table);
  });
}

/** A subnet that is not named here has the VPC's main table. */
export async function AssociateRouteTable({ store, ids }: Ec2Context, input: AssociateRouteTableRequest, request: Ec2Request) {
  takeOnly("AssociateRouteTable", input, ["RouteTableId", "SubnetId"]);
  if (!input.SubnetId) throw missing("subnetId");
  return store.transaction(async (tx) => {
    const table = await theResource(tx.db, request, "route-table", input.RouteTableId);
    const subnet = await theResource(tx.db, request, "subnet", input.SubnetId);
    if (subnet.vpcId !== table.vpcId) throw invalidValue(`Route table ${table.id} and subnet ${subnet.id} belong to different networks`);
    for (const { spec } of await listResources(tx.db, request, "route-table"))
      if (spec.associations.some(({ subnetId }) => subnetId === subnet.id))
        throw new AwsError(
          "Resource.AlreadyAssociated",
          `the specified association for route table ${table.id} conflicts with an existing association`,
        );
    const association = { id: ids.ec2("rtbassoc"), subnetId: subnet.id };
    await changeSpec(tx, table, { associations: [...table.spec.associations, association] });
    return { AssociationId: association.id, AssociationState: { State: "associated" as const } };
  });
}

async function theAssociation(db: Db, request: Ec2Request, id = ""): Promise<{ table: RouteTable; association: RouteTableAssociation }> {
  for (const table of await listResources(db, request, "route-table")) {
    const association = table.spec.associations.find((own) => own.id === id);
    if (association) return { table, association };
  }
  throw new AwsError("InvalidAssociationID.NotFound", `The association ID '${id}' does not exist`);
}

const removed = (table: RouteTable, id: string) => ({ associations: table.spec.associations.filter((own) => own.id !== id) });

export async function DisassociateRouteTable({ store }: Ec2Context, input: DisassociateRouteTableRequest, request: Ec2Request) {
  await store.transaction(async (tx) => {
    const { table, association } = await theAssociation(tx.db, request, input.AssociationId);
    if (association.subnetId === null)
      throw invalidValue(`cannot disassociate the main route table association ${association.id}: use ReplaceRouteTableAssociation`);
    await changeSpec(tx, table, removed(table, association.id));
  });
}

/** Also what makes another table the main one. */
export async function ReplaceRouteTableAssociation(
  { store, ids }: Ec2Context,
  input: ReplaceRouteTableAssociationRequest,
  request: Ec2Request,
) {
  return store.transaction(async (tx) => {
    const { table, association } = await theAssociation(tx.db, request, input.AssociationId);
    await changeSpec(tx, table, removed(table, association.id));
    const other = await theResource(tx.db, request, "route-table", input.RouteTableId);
    if (other.vpcId !== table.vpcId) throw invalidValue(`Route tables ${table.id} and ${other.id} belong to different networks`);
    const renewed = { id: ids.ec2("rtbassoc"), subnetId: association.subnetId };
    await changeSpec(tx, other, { associations: [...other.spec.associations, renewed] });
    return { NewAssociationId: renewed.id, AssociationState: { State: "associated" as const } };
  });
}

export async function CreateRoute({ store }: Ec2Context, input: CreateRouteRequest, request: Ec2Request) {
  await store.transaction(async (tx) => {
    const table = await theResource(tx.db, request, "route-table", input.RouteTableId);
    const route = await readRoute("CreateRoute", tx, input, table, request);
    if (table.spec.routes.some(({ cidr }) => cidr === route.cidr))
      throw new AwsError("RouteAlreadyExists", `The route identified by ${route.cidr} already exists.`);
    await changeSpec(tx, table, { routes: [...table.spec.routes, route] });
  });
  return { Return: true };
}

export async function ReplaceRoute({ store }: Ec2Context, input: ReplaceRouteRequest, request: Ec2Request) {
  await store.transaction(async (tx) => {
    const table = await theResource(tx.db, request, "route-table", input.RouteTableId);
    const route = await readRoute("ReplaceRoute", tx, input, table, request);
    await changeSpec(tx, table, { routes: [...without(table, route.cidr), route] });
  });
}

export async function DeleteRoute({ store }: Ec2Context, input: DeleteRouteRequest, request: Ec2Request) {
  takeOnly("DeleteRoute", input, ["RouteTableId", "DestinationCidrBlock"]);
  await store.transaction(async (tx) => {
    const table = await theResource(tx.db, request, "route-table", input.RouteTableId);
    await changeSpec(tx, table, { routes: without(table, readDestination(input.DestinationCidrBlock)) });
  });
}

/** Throws where there is no such route. */
function without(table: RouteTable, cidr: string): Route[] {
  const routes = table.spec.routes.filter((route) => route.cidr !== cidr);
  if (routes.length === table.spec.routes.length)
    throw new AwsError("InvalidRoute.NotFound", `no route with destination-cidr-block ${cidr} in route table ${table.id}`);
  return routes;
}

function readDestination(text: string | undefined): string {
  if (text === undefined) throw missing("destinationCidrBlock");
  const block = parseBlock(text);
  if (!block) throw invalidValue(`Value (${text}) for parameter destinationCidrBlock is invalid. This is not a valid CIDR block.`);
  return blockText(block);
}

async function readRoute(
  operation: string,
  tx: Tx,
  input: CreateRouteRequest | ReplaceRouteRequest,
  table: RouteTable,
  request: Ec2Request,
): Promise<Route> {
  takeOnly(operation, input, ["RouteTableId", "DestinationCidrBlock", "GatewayId"]);
  const cidr = readDestination(input.DestinationCidrBlock);
  if (!input.GatewayId) throw missing("gatewayId");
  if (!input.GatewayId.startsWith("igw-"))
    throw unsupported(`${operation}: GatewayId '${input.GatewayId}' is no internet gateway, and Howdah has no others.`);
  const gateway = await theResource(tx.db, request, "internet-gateway", input.GatewayId);
  if (gateway.vpcId !== table.vpcId)
    throw invalidValue(`route table ${table.id} and network gateway ${gateway.id} belong to different networks`);
  return { cidr, to: gateway.id };
}
