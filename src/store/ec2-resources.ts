/**
 * What EC2's users make: VPCs and what is in them, security groups, key pairs. One table for all kinds, for its rows differ only in what
 * they show. Instances and volumes are not here: they are the clusters' own (ec2-nodes.ts).
 */
import { type Kysely, type Selectable, sql } from "kysely";
import { compiled } from "./compiled.ts";
import type { Ec2ResourcesTable } from "./ec2-schema.ts";
import type { Schema } from "./schema.ts";
import type { Db, Tx } from "./store.ts";

/** Everything of EC2 is of one account in one region. */
export interface Scope {
  accountId: string;
  region: string;
}

export interface VpcSpec {
  /** Canonical, as 10.0.0.0/16. */
  cidr: string;
  isDefault: boolean;
  dhcpOptionsId: string;
  enableDnsSupport: boolean;
  enableDnsHostnames: boolean;
  enableNetworkAddressUsageMetrics: boolean;
}

export interface SubnetSpec {
  cidr: string;
  /** us-east-1a */
  zone: string;
  isDefault: boolean;
  mapPublicIpOnLaunch: boolean;
}

/** `to`: igw-…; the route to the VPC itself is not written down. */
export interface Route {
  cidr: string;
  to: string;
}

/** `subnetId` null: the VPC's main table. */
export interface RouteTableAssociation {
  id: string;
  subnetId: string | null;
}

export interface RouteTableSpec {
  routes: Route[];
  associations: RouteTableAssociation[];
}

/** An internet gateway's VPC is the row's; null while it is detached. */
export type InternetGatewaySpec = Record<string, never>;

/** The VPC's own, which lets everything through. */
export interface NetworkAclSpec {
  isDefault: true;
  associations: { id: string; subnetId: string }[];
}

/** Who may come, or be gone to. */
export type Peer = { cidrIpv4: string } | { cidrIpv6: string } | { groupId: string };

export interface SecurityGroupRule {
  /** sgr-… */
  id: string;
  isEgress: boolean;
  /** tcp, udp, icmp, icmpv6, -1 for all, or a protocol's number. */
  protocol: string;
  /** Of icmp: type and code. -1 for all, and null where the protocol has none. */
  fromPort: number | null;
  toPort: number | null;
  peer: Peer;
  description: string | null;
}

export interface SecurityGroupSpec {
  name: string;
  description: string;
  rules: SecurityGroupRule[];
}

/** The private key of a pair is nowhere but with its user. */
export interface KeyPairSpec {
  name: string;
  type: "rsa" | "ed25519";
  fingerprint: string;
  /** One line, as in authorized_keys. */
  publicKey: string;
}

/** Kinds as EC2's ResourceType names them. */
export interface Specs {
  vpc: VpcSpec;
  subnet: SubnetSpec;
  "route-table": RouteTableSpec;
  "internet-gateway": InternetGatewaySpec;
  "network-acl": NetworkAclSpec;
  "security-group": SecurityGroupSpec;
  "key-pair": KeyPairSpec;
}

export type Kind = keyof Specs;

export interface Resource<K extends Kind> {
  id: string;
  /** The VPC that it is in; of a VPC its own id; null for what is in none. */
  vpcId: string | null;
  createdAt: number;
  /** Where it stands in lists: later ones have higher numbers. */
  seq: number;
  spec: Specs[K];
}

export type Vpc = Resource<"vpc">;
export type Subnet = Resource<"subnet">;
export type RouteTable = Resource<"route-table">;
export type InternetGateway = Resource<"internet-gateway">;
export type NetworkAcl = Resource<"network-acl">;
export type SecurityGroup = Resource<"security-group">;
export type KeyPair = Resource<"key-pair">;

type Row = Selectable<Ec2ResourcesTable> & { seq: number };

const fromRow = <K extends Kind>(row: Row): Resource<K> => ({
  id: row.id,
  vpcId: row.vpc_id,
  createdAt: row.created_at,
  seq: row.seq,
  spec: JSON.parse(row.spec) as Specs[K],
});

export async function insertResource<K extends Kind>(
  tx: Tx,
  scope: Scope,
  kind: K,
  resource: Omit<Resource<K>, "createdAt" | "seq">,
): Promise<Resource<K>> {
  const { seq } = await tx.db
    .insertInto("ec2_resources")
    .values({
      id: resource.id,
      account_id: scope.accountId,
      region: scope.region,
      kind,
      vpc_id: resource.vpcId,
      created_at: tx.now,
      spec: JSON.stringify(resource.spec),
    })
    .returning(sql<number>`rowid`.as("seq"))
    .executeTakeFirstOrThrow();
  return { ...resource, createdAt: tx.now, seq };
}

type OfKind = { accountId: string; region: string; kind: string };

const ofKind = (db: Kysely<Schema>, value: <Name extends keyof OfKind>(name: Name) => string) =>
  db
    .selectFrom("ec2_resources")
    .selectAll()
    .select(sql<number>`rowid`.as("seq"))
    .where("account_id", "=", value("accountId"))
    .where("region", "=", value("region"))
    .where("kind", "=", value("kind") as Kind);
const all = compiled<OfKind, Row>((db, value) => ofKind(db, value).orderBy(sql`rowid`));
const inVpc = compiled<OfKind & { vpcId: string }, Row>((db, value) =>
  ofKind(db, value)
    .where("vpc_id", "=", value("vpcId"))
    .orderBy(sql`rowid`),
);
const withId = compiled<OfKind & { id: string }, Row>((db, value) => ofKind(db, value).where("id", "=", value("id")));

/** In the order in which they were made. */
export async function listResources<K extends Kind>(db: Db, scope: Scope, kind: K): Promise<Resource<K>[]> {
  const { accountId, region } = scope;
  return (await all(db, { accountId, region, kind })).map((row) => fromRow<K>(row));
}

export async function findResource<K extends Kind>(db: Db, scope: Scope, kind: K, id: string): Promise<Resource<K> | undefined> {
  const { accountId, region } = scope;
  const [row] = await withId(db, { accountId, region, kind, id });
  return row && fromRow<K>(row);
}

export async function listInVpc<K extends Kind>(db: Db, scope: Scope, kind: K, vpcId: string): Promise<Resource<K>[]> {
  const { accountId, region } = scope;
  return (await inVpc(db, { accountId, region, kind, vpcId })).map((row) => fromRow<K>(row));
}

/** Changes what `change` names of the spec. */
export async function changeSpec<K extends Kind>(tx: Tx, resource: Resource<K>, change: Partial<Specs[K]>): Promise<void> {
  const spec = JSON.stringify({ ...resource.spec, ...change });
  await tx.db.updateTable("ec2_resources").set({ spec }).where("id", "=", resource.id).execute();
}

/** Only an internet gateway moves. */
export async function setVpcOf(tx: Tx, resource: InternetGateway, vpcId: string | null): Promise<void> {
  await tx.db.updateTable("ec2_resources").set({ vpc_id: vpcId }).where("id", "=", resource.id).execute();
}

/** With its tags. */
export async function deleteResource(tx: Tx, resource: Resource<Kind>): Promise<void> {
  await tx.db.deleteFrom("ec2_tags").where("resource_id", "=", resource.id).execute();
  await tx.db.deleteFrom("ec2_resources").where("id", "=", resource.id).execute();
}

/** Names are a region's own. */
export async function findKeyPair(db: Db, scope: Scope, name: string): Promise<KeyPair | undefined> {
  return (await listResources(db, scope, "key-pair")).find(({ spec }) => spec.name === name);
}
