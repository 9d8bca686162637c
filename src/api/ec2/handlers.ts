/** EC2's operations that are built. All others of the model answer that they are not there yet (src/api/pipeline.ts). */
import { AwsError } from "../../aws/errors.ts";
import type { Handlers } from "../../aws/operations.ts";
import type { ec2 } from "../../aws/services/ec2.ts";
import { ensureRegion } from "../../store/ec2-vpcs.ts";
import type { Operations } from "../bind.ts";
import type { Ec2Context, Ec2Request } from "./context.ts";
import * as images from "./images.ts";
import * as types from "./instance-types.ts";
import * as instances from "./instances.ts";
import * as gateways from "./internet-gateways.ts";
import * as keys from "./key-pairs.ts";
import * as acls from "./network-acls.ts";
import * as interfaces from "./network-interfaces.ts";
import * as refused from "./refused.ts";
import * as routes from "./route-tables.ts";
import * as rules from "./security-group-rules.ts";
import * as groups from "./security-groups.ts";
import * as prices from "./spot-prices.ts";
import * as subnets from "./subnets.ts";
import * as tags from "./tags.ts";
import * as volumes from "./volumes.ts";
import * as vpcs from "./vpcs.ts";
import * as zones from "./zones.ts";

/** Each file of a resource exports its operations and nothing else. */
const operations = {
  ...zones,
  ...vpcs,
  ...subnets,
  ...routes,
  ...gateways,
  ...acls,
  ...groups,
  ...rules,
  ...keys,
  ...tags,
  ...instances,
  ...volumes,
  ...interfaces,
  ...types,
  ...prices,
  ...images,
  ...refused,
} satisfies Operations<typeof ec2, Ec2Context>;

type Operation = (context: Ec2Context, input: never, request: Ec2Request) => unknown;

export function ec2Handlers(context: Ec2Context): Handlers<typeof ec2> {
  const bound = Object.entries(operations as Record<string, Operation>).map(([name, operation]) => [
    name,
    async (input: { DryRun?: boolean }, request: Ec2Request) => {
      // Who may not do it has been told so before.
      if (input.DryRun) throw new AwsError("DryRunOperation", "Request would have succeeded, but DryRun flag is set.", 412);
      await ensureRegion(context.store, context.ids, request);
      return operation(context, input as never, request);
    },
  ]);
  return Object.fromEntries(bound) as Handlers<typeof ec2>;
}
