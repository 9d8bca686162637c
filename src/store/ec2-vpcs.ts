/**
 * VPCs with what each has from its start, and the default VPC of a region. Source: Amazon VPC User Guide, "Default VPC components":
 * 172.31.0.0/16, a /20 in each zone, an internet gateway, a main route table with a route to it, a default network ACL and security group.
 */
import type { Selectable } from "kysely";
import { compiled } from "./compiled.ts";
import type { Ec2RegionsTable } from "./ec2-schema.ts";
import {
  insertResource,
  listInVpc,
  listResources,
  changeSpec,
  type Scope,
  type Subnet,
  type SubnetSpec,
  type Vpc,
} from "./ec2-resources.ts";
import type { Ids } from "./ids.ts";
import type { Db, Store, Tx } from "./store.ts";
import { zonesOf } from "../releases/zones.ts";

const defaultCidr = "172.31.0.0/16";
export const defaultSubnetCidr = (index: number) => `172.31.${index * 16}.0/20`;

const ofRegion = compiled<{ accountId: string; region: string }, Selectable<Ec2RegionsTable>>((db, value) =>
  db.selectFrom("ec2_regions").selectAll().where("account_id", "=", value("accountId")).where("region", "=", value("region")),
);

async function regionRow(db: Db, { accountId, region }: Scope) {
  return (await ofRegion(db, { accountId, region }))[0];
}

/** The account's default VPC is made when somebody first looks at the region. Who deletes it has none from then on, as in EC2. */
export async function ensureRegion(store: Store, ids: Ids, scope: Scope): Promise<void> {
  if (!(await regionRow(store.db, scope))) await store.transaction((tx) => ensureRegionIn(tx, ids, scope));
}

export async function ensureRegionIn(tx: Tx, ids: Ids, scope: Scope): Promise<void> {
  if (await regionRow(tx.db, scope)) return;
  const { accountId, region } = scope;
  await tx.db
    .insertInto("ec2_regions")
    .values({ account_id: accountId, region, dhcp_options_id: ids.ec2("dopt"), made_at: tx.now })
    .execute();
  await insertDefaultVpc(tx, ids, scope);
}

/** The options that every VPC has: Howdah has no others. */
export async function dhcpOptionsId(db: Db, scope: Scope): Promise<string> {
  return (await regionRow(db, scope))?.dhcp_options_id ?? "default";
}

export async function insertDefaultVpc(tx: Tx, ids: Ids, scope: Scope): Promise<Vpc> {
  const vpc = await insertVpc(tx, ids, scope, defaultCidr, true);
  const gateway = ids.ec2("igw");
  await insertResource(tx, scope, "internet-gateway", { id: gateway, vpcId: vpc.id, spec: {} });
  const [main] = await listInVpc(tx.db, scope, "route-table", vpc.id);
  if (main) await changeSpec(tx, main, { routes: [{ cidr: "0.0.0.0/0", to: gateway }] });
  for (const [index, { name }] of zonesOf(scope.region).entries())
    await insertSubnet(tx, ids, scope, vpc.id, defaultSubnet(name, defaultSubnetCidr(index)));
  return vpc;
}

export const defaultSubnet = (zone: string, cidr: string): SubnetSpec => ({ cidr, zone, isDefault: true, mapPublicIpOnLaunch: true });

/** With its main route table, its network ACL and its security group `default`. */
export async function insertVpc(tx: Tx, ids: Ids, scope: Scope, cidr: string, isDefault = false): Promise<Vpc> {
  const id = ids.ec2("vpc");
  const vpc = await insertResource(tx, scope, "vpc", {
    id,
    vpcId: id,
    spec: {
      cidr,
      isDefault,
      dhcpOptionsId: await dhcpOptionsId(tx.db, scope),
      enableDnsSupport: true,
      enableDnsHostnames: isDefault,
      enableNetworkAddressUsageMetrics: false,
    },
  });
  const association = { id: ids.ec2("rtbassoc"), subnetId: null };
  await insertResource(tx, scope, "route-table", {
    id: ids.ec2("rtb"),
    vpcId: id,
    spec: { routes: [], associations: [association] },
  });
  await insertResource(tx, scope, "network-acl", { id: ids.ec2("acl"), vpcId: id, spec: { isDefault: true, associations: [] } });
  const group = ids.ec2("sg");
  await insertResource(tx, scope, "security-group", {
    id: group,
    vpcId: id,
    spec: {
      name: "default",
      description: "default VPC security group",
      rules: [everything(ids, false, { groupId: group }), everything(ids, true, { cidrIpv4: "0.0.0.0/0" })],
    },
  });
  return vpc;
}

/** A rule for all protocols and ports. */
export const everything = (ids: Ids, isEgress: boolean, peer: { groupId: string } | { cidrIpv4: string }) => ({
  id: ids.ec2("sgr"),
  isEgress,
  protocol: "-1",
  fromPort: null,
  toPort: null,
  peer,
  description: null,
});

/** Under its VPC's network ACL. */
export async function insertSubnet(tx: Tx, ids: Ids, scope: Scope, vpcId: string, spec: SubnetSpec): Promise<Subnet> {
  const subnet = await insertResource(tx, scope, "subnet", { id: ids.ec2("subnet"), vpcId, spec });
  const [acl] = await listInVpc(tx.db, scope, "network-acl", vpcId);
  if (acl) await changeSpec(tx, acl, { associations: [...acl.spec.associations, { id: ids.ec2("aclassoc"), subnetId: subnet.id }] });
  return subnet;
}

export async function defaultVpc(db: Db, scope: Scope): Promise<Vpc | undefined> {
  return (await listResources(db, scope, "vpc")).find(({ spec }) => spec.isDefault);
}

/** Whether it has a route to the internet, by its own table or the VPC's main one. */
export async function isPublic(db: Db, scope: Scope, subnet: Subnet): Promise<boolean> {
  const vpcId = subnet.vpcId ?? "";
  const tables = await listInVpc(db, scope, "route-table", vpcId);
  const withSubnet = (subnetId: string | null) =>
    tables.find(({ spec }) => spec.associations.some((association) => association.subnetId === subnetId));
  const table = withSubnet(subnet.id) ?? withSubnet(null);
  const attached = new Set((await listInVpc(db, scope, "internet-gateway", vpcId)).map(({ id }) => id));
  return table?.spec.routes.some(({ cidr, to }) => cidr === "0.0.0.0/0" && attached.has(to)) ?? false;
}
