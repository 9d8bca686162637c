import assert from "node:assert/strict";
import { test } from "node:test";
import type { PortRange } from "@aws-sdk/client-emr";
import { checkPublicAccess, type InboundRule } from "../../src/api/emr/block-public-access.ts";
import { type Harness, harness } from "./control-plane-harness.ts";

const rule = (fromPort: number, toPort = fromPort, cidr = "0.0.0.0/0"): InboundRule => ({ groupId: "sg-1", fromPort, toPort, cidr });
const put = (h: Harness, BlockPublicSecurityGroupRules: boolean, PermittedPublicSecurityGroupRuleRanges?: PortRange[]) =>
  h.handlers.PutBlockPublicAccessConfiguration!(
    { BlockPublicAccessConfiguration: { BlockPublicSecurityGroupRules, PermittedPublicSecurityGroupRuleRanges } } as never,
    h.request,
  );
const allows = async (h: Harness, ...rules: InboundRule[]) =>
  checkPublicAccess(h.store.db, h.request, rules).then(
    () => true,
    (error: Error) => {
      assert.match(error.message, /Security group sg-1 lets everybody .* which block public access forbids in us-east-1/);
      return false;
    },
  );

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
