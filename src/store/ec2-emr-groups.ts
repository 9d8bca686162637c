/**
 * The security groups that EMR makes in a VPC with its first cluster, and uses for all that name none. Source: EMR Management Guide, "Working
 * with Amazon EMR-managed security groups". Left out is what lets AWS's own servers reach port 8443: there are none.
 */
import {
  changeSpec,
  insertResource,
  listInVpc,
  type Peer,
  type Scope,
  type SecurityGroup,
  type SecurityGroupRule,
} from "./ec2-resources.ts";
import { everything } from "./ec2-vpcs.ts";
import type { Ids } from "./ids.ts";
import type { Tx } from "./store.ts";

export interface EmrGroups {
  master: string;
  slave: string;
  /** In private subnets only. */
  serviceAccess: string | undefined;
}

const names = {
  public: { master: "ElasticMapReduce-master", slave: "ElasticMapReduce-slave" },
  private: { master: "ElasticMapReduce-Master-Private", slave: "ElasticMapReduce-Slave-Private" },
};
const serviceAccessName = "ElasticMapReduce-ServiceAccess";

/** Those that are there stay as they are, whatever somebody has changed of them. */
export async function ensureEmrGroups(tx: Tx, ids: Ids, scope: Scope, vpcId: string, isPublic: boolean): Promise<EmrGroups> {
  const { master: masterName, slave: slaveName } = isPublic ? names.public : names.private;
  const made: SecurityGroup[] = [];
  const ensure = async (name: string, what: string): Promise<SecurityGroup> => {
    const found = (await listInVpc(tx.db, scope, "security-group", vpcId)).find(({ spec }) => spec.name === name);
    if (found) return found;
    const description = `${what} for Elastic MapReduce created on ${new Date(tx.now).toISOString()}`;
    const spec = { name, description, rules: [] };
    const group = await insertResource(tx, scope, "security-group", { id: ids.ec2("sg"), vpcId, spec });
    made.push(group);
    return group;
  };
  const master = await ensure(masterName, "Master group");
  const slave = await ensure(slaveName, "Slave group");
  const service = isPublic ? undefined : await ensure(serviceAccessName, "Service access group");

  const rule = (protocol: string, ports: [number, number], peer: Peer, isEgress = false): SecurityGroupRule => ({
    id: ids.ec2("sgr"),
    isEgress,
    protocol,
    fromPort: ports[0],
    toPort: ports[1],
    peer,
    description: null,
  });
  const each = (port: number, isEgress: boolean, groups: readonly SecurityGroup[]) =>
    groups.map(({ id }) => rule("tcp", [port, port], { groupId: id }, isEgress));
  for (const group of made) {
    const rules =
      group === service
        ? [...each(9443, false, [master]), ...each(8443, true, [master, slave])]
        : [
            ...[master, slave].flatMap(({ id }) => [
              rule("tcp", [0, 65_535], { groupId: id }),
              rule("udp", [0, 65_535], { groupId: id }),
              rule("icmp", [-1, -1], { groupId: id }),
            ]),
            ...(service ? each(8443, false, [service]) : []),
            everything(ids, true, { cidrIpv4: "0.0.0.0/0" }),
          ];
    await changeSpec(tx, group, { rules });
  }
  return { master: master.id, slave: slave.id, serviceAccess: service?.id };
}
