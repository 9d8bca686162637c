import assert from "node:assert/strict";
import { test } from "node:test";
import type { PortRange } from "@aws-sdk/client-emr";
import { forbiddenRule, type InboundRule } from "../../src/api/emr/block-public-access.ts";
import { changeSpec, insertResource, listInVpc } from "../../src/store/ec2-resources.ts";
import { defaultVpc, ensureRegion } from "../../src/store/ec2-vpcs.ts";
import { create, type Harness, harness } from "./control-plane-harness.ts";

const rule = (fromPort: number, toPort = fromPort, cidr = "0.0.0.0/0"): InboundRule => ({ groupId: "sg-1", fromPort, toPort, cidr });
const put = (h: Harness, BlockPublicSecurityGroupRules: boolean, PermittedPublicSecurityGroupRuleRanges?: PortRange[]) =>
  h.handlers.PutBlockPublicAccessConfiguration!(
    { BlockPublicAccessConfiguration: { BlockPublicSecurityGroupRules, PermittedPublicSecurityGroupRuleRanges } } as never,
    h.request,
  );
const allows = async (h: Harness, ...rules: InboundRule[]) => {
  const { BlockPublicAccessConfiguration: configuration } = await h.handlers.GetBlockPublicAccessConfiguration!({}, h.request);
  return !configuration!.BlockPublicSecurityGroupRules || forbiddenRule(configuration!, rules) === undefined;
};

test("from the start only ssh may be open to all; a configuration holds in its region from the time that it is put", async () => {
  const h = await harness();
  const get = () => h.handlers.GetBlockPublicAccessConfiguration!({}, h.request);
  assert.deepEqual((await get()).BlockPublicAccessConfiguration, {
    BlockPublicSecurityGroupRules: true,
    PermittedPublicSecurityGroupRuleRanges: [{ MinRange: 22, MaxRange: 22 }],
  });
  assert.equal((await get()).BlockPublicAccessConfigurationMetadata?.CreatedByArn, "arn:aws:iam::123456789012:root");
  await put(h, true, [{ MinRange: 100, MaxRange: 101 }, { MinRange: 8088 }]);
  h.advance(1000);
  await put(h, true, [{ MinRange: 100, MaxRange: 101 }, { MinRange: 8088 }]);
  assert.deepEqual(await get(), {
    BlockPublicAccessConfiguration: {
      BlockPublicSecurityGroupRules: true,
      PermittedPublicSecurityGroupRuleRanges: [
        { MinRange: 100, MaxRange: 101 },
        { MinRange: 8088, MaxRange: 8088 },
      ],
    },
    BlockPublicAccessConfigurationMetadata: { CreationDateTime: new Date(h.store.now()), CreatedByArn: h.request.principal.arn },
  });
  const elsewhere = await h.handlers.GetBlockPublicAccessConfiguration!({}, { ...h.request, region: "eu-west-1" });
  assert.deepEqual(elsewhere.BlockPublicAccessConfiguration?.PermittedPublicSecurityGroupRuleRanges, [{ MinRange: 22, MaxRange: 22 }]);
  await assert.rejects(async () => put(h, true, [{ MinRange: 5, MaxRange: 4 }]), {
    name: "InvalidRequestException",
    message: /PermittedPublicSecurityGroupRuleRanges\[0\]: MaxRange 4 must not be below MinRange 5/,
  });
});

test("a rule that opens a port to all is refused unless every one of its ports is permitted", async () => {
  const h = await harness();
  assert.ok(await allows(h, rule(22), rule(0, 65_535, "10.0.0.0/8"), rule(22, 22, "::/0")));
  for (const open of [rule(23), rule(22, 23), rule(-1), rule(443, 443, "::/0")])
    assert.ok(!(await allows(h, rule(22), open)), JSON.stringify(open));
  await put(h, true, [{ MinRange: 102 }, { MinRange: 100, MaxRange: 101 }]);
  assert.ok(await allows(h, rule(100, 102)));
  assert.ok(!(await allows(h, rule(99, 102))));
  assert.ok(!(await allows(h, rule(22))));
  await put(h, true, [{ MinRange: -1 }]);
  assert.ok(!(await allows(h, rule(22))));
  await put(h, true, [{ MinRange: 0, MaxRange: 65_535 }]);
  assert.ok(await allows(h, rule(-1)));
  await put(h, false);
  assert.ok(await allows(h, rule(-1), rule(443)));
});

test("RunJobFlow refuses a security group that is open to all, but not in a private subnet", async () => {
  const h = await harness();
  const scope = { accountId: h.request.accountId, region: h.request.region };
  await ensureRegion(h.store, h.ids, scope);
  const { id: vpcId } = (await defaultVpc(h.store.db, scope))!;
  const [subnet] = await listInVpc(h.store.db, scope, "subnet", vpcId);
  const group = async (fromPort: number | null, protocol: string) =>
    h.store.transaction((tx) =>
      insertResource(tx, scope, "security-group", {
        id: `sg-${protocol}-${fromPort}`,
        vpcId,
        spec: {
          name: `${protocol}-${fromPort}`,
          description: "",
          rules: [
            { id: "sgr-1", isEgress: false, protocol, fromPort, toPort: fromPort, peer: { cidrIpv4: "0.0.0.0/0" }, description: null },
            {
              id: "sgr-2",
              isEgress: true,
              protocol: "-1",
              fromPort: null,
              toPort: null,
              peer: { cidrIpv4: "0.0.0.0/0" },
              description: null,
            },
          ],
        },
      }),
    );
  const Instances = { MasterInstanceType: "m5.xlarge", InstanceCount: 1 };
  const run = (sg: string, more: object = {}) => create(h, { Instances: { ...Instances, AdditionalMasterSecurityGroups: [sg], ...more } });
  const [web, everything, ssh, ping] = [await group(80, "tcp"), await group(null, "-1"), await group(22, "tcp"), await group(-1, "icmp")];
  for (const { id } of [ssh, ping]) await run(id);
  await assert.rejects(run(web.id), {
    name: "ValidationException",
    message: new RegExp(`Security group ${web.id} lets everybody \\(0.0.0.0/0\\) reach ports 80 to 80, .* forbids in us-east-1`),
  });
  await assert.rejects(run(everything.id, { Ec2SubnetId: subnet!.id }), /reach every port/);
  const [table] = await listInVpc(h.store.db, scope, "route-table", vpcId);
  await h.store.transaction((tx) => changeSpec(tx, table!, { routes: [] }));
  await run(everything.id, { Ec2SubnetId: subnet!.id });
  await put(h, false);
  await run(web.id);
});
