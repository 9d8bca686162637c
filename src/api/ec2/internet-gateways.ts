/** Internet gateways: kept and shown. Nodes reach whatever the host reaches. */
import type {
  AttachInternetGatewayRequest,
  CreateInternetGatewayRequest,
  DeleteInternetGatewayRequest,
  DescribeInternetGatewaysRequest,
  DetachInternetGatewayRequest,
  InternetGateway as GatewayShape,
  Tag,
} from "@aws-sdk/client-ec2";
import { AwsError } from "../../aws/errors.ts";
import { deleteResource, insertResource, type InternetGateway, listInVpc, listResources, setVpcOf } from "../../store/ec2-resources.ts";
import { putResourceTags, resourceTags } from "../../store/ec2-tags.ts";
import type { Ec2Context, Ec2Request } from "./context.ts";
import { dependencyViolation, takeOnly } from "./errors.ts";
import { resourceListing, select } from "./listing.ts";
import { theResource } from "./lookup.ts";
import { newTags } from "./tags-input.ts";

/** EC2 says `available` of an attached one. */
const gatewayShape = ({ id, vpcId }: InternetGateway, request: Ec2Request, Tags: Tag[]): GatewayShape => ({
  InternetGatewayId: id,
  OwnerId: request.accountId,
  Attachments: vpcId === null ? [] : [{ VpcId: vpcId, State: "available" as "attached" }],
  Tags,
});

export async function CreateInternetGateway({ store, ids }: Ec2Context, input: CreateInternetGatewayRequest, request: Ec2Request) {
  takeOnly("CreateInternetGateway", input, ["TagSpecifications"]);
  const tags = newTags("internet-gateway", input.TagSpecifications);
  return store.transaction(async (tx) => {
    const gateway = await insertResource(tx, request, "internet-gateway", { id: ids.ec2("igw"), vpcId: null, spec: {} });
    await putResourceTags(tx, request, gateway.id, tags);
    return { InternetGateway: gatewayShape(gateway, request, tags) };
  });
}

export async function DescribeInternetGateways({ store }: Ec2Context, input: DescribeInternetGatewaysRequest, request: Ec2Request) {
  const tags = await resourceTags(store.db, request);
  const listing = resourceListing(
    "internet-gateway",
    {
      "attachment.state": ({ vpcId }) => (vpcId === null ? undefined : "available"),
      "attachment.vpc-id": ({ vpcId }) => vpcId,
      "internet-gateway-id": ({ id }) => id,
      "owner-id": () => request.accountId,
    },
    tags,
  );
  const gateways = await listResources(store.db, request, "internet-gateway");
  const { items, NextToken } = select(gateways, { ...input, ids: input.InternetGatewayIds }, listing);
  return { InternetGateways: items.map((gateway) => gatewayShape(gateway, request, tags.get(gateway.id) ?? [])), NextToken };
}

/** A gateway has one VPC and a VPC has one gateway. */
export async function AttachInternetGateway({ store }: Ec2Context, input: AttachInternetGatewayRequest, request: Ec2Request) {
  await store.transaction(async (tx) => {
    const gateway = await theResource(tx.db, request, "internet-gateway", input.InternetGatewayId);
    const vpc = await theResource(tx.db, request, "vpc", input.VpcId);
    if (gateway.vpcId !== null)
      throw new AwsError("Resource.AlreadyAssociated", `resource ${gateway.id} is already attached to network ${gateway.vpcId}`);
    const [other] = await listInVpc(tx.db, request, "internet-gateway", vpc.id);
    if (other) throw new AwsError("InvalidParameterValue", `Network ${vpc.id} already has an internet gateway attached`);
    await setVpcOf(tx, gateway, vpc.id);
  });
}

/** Routes to it stay, as black holes. */
export async function DetachInternetGateway({ store }: Ec2Context, input: DetachInternetGatewayRequest, request: Ec2Request) {
  await store.transaction(async (tx) => {
    const gateway = await theResource(tx.db, request, "internet-gateway", input.InternetGatewayId);
    if (gateway.vpcId === null || gateway.vpcId !== input.VpcId)
      throw new AwsError("Gateway.NotAttached", `resource ${gateway.id} is not attached to network ${input.VpcId}`);
    await setVpcOf(tx, gateway, null);
  });
}

export async function DeleteInternetGateway({ store }: Ec2Context, input: DeleteInternetGatewayRequest, request: Ec2Request) {
  await store.transaction(async (tx) => {
    const gateway = await theResource(tx.db, request, "internet-gateway", input.InternetGatewayId);
    if (gateway.vpcId !== null) throw dependencyViolation(`The internetGateway '${gateway.id}' has dependencies and cannot be deleted.`);
    await deleteResource(tx, gateway);
  });
}
