/** The tables of EC2: all columns are written by requests (`api`). */

/** Where the account's default VPC was made once: who has deleted it stays without one. */
export interface Ec2RegionsTable {
  account_id: string;
  region: string;
  /** The options that every VPC of the region has. */
  dhcp_options_id: string;
  made_at: number;
}

export interface Ec2ResourcesTable {
  id: string;
  account_id: string;
  region: string;
  /** vpc, subnet, security-group, …: Kind of ec2-resources.ts */
  kind: string;
  /** of a VPC its own id */
  vpc_id: string | null;
  created_at: number;
  /** Specs[Kind] as JSON */
  spec: string;
}

export interface Ec2TagsTable {
  account_id: string;
  region: string;
  /** Of ec2_resources, of one of their parts (a security group's rule), an instance or a volume. */
  resource_id: string;
  key: string;
  value: string;
}

export const ec2Migration = `
  CREATE TABLE ec2_regions (account_id TEXT NOT NULL, region TEXT NOT NULL, dhcp_options_id TEXT NOT NULL, made_at INTEGER NOT NULL,
    PRIMARY KEY (account_id, region));
  CREATE TABLE ec2_resources (id TEXT PRIMARY KEY, account_id TEXT NOT NULL, region TEXT NOT NULL, kind TEXT NOT NULL, vpc_id TEXT,
    created_at INTEGER NOT NULL, spec TEXT NOT NULL);
  CREATE INDEX ec2_resources_by_kind ON ec2_resources (account_id, region, kind);
  CREATE TABLE ec2_tags (account_id TEXT NOT NULL, region TEXT NOT NULL, resource_id TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL,
    PRIMARY KEY (resource_id, key));
  CREATE INDEX ec2_tags_by_region ON ec2_tags (account_id, region);
`;
