/**
 * Reading and removing what only later versions can attach: policies of auto-termination and of managed scaling. RunJobFlow and the Put
 * operations refuse them, so every cluster truly has none, and clients that always ask (Terraform) get EMR's answer for that.
 */
import type {
  GetAutoTerminationPolicyInput,
  GetManagedScalingPolicyInput,
  RemoveAutoTerminationPolicyInput,
  RemoveManagedScalingPolicyInput,
} from "@aws-sdk/client-emr";
import type { EmrContext, EmrRequest } from "./context.ts";
import { theCluster } from "./lookup.ts";

type Input =
  | GetAutoTerminationPolicyInput
  | GetManagedScalingPolicyInput
  | RemoveAutoTerminationPolicyInput
  | RemoveManagedScalingPolicyInput;

async function none({ store }: EmrContext, input: Input, request: EmrRequest) {
  await theCluster(store.db, request, input.ClusterId);
  return {};
}

export const policies = {
  GetAutoTerminationPolicy: none,
  RemoveAutoTerminationPolicy: none,
  GetManagedScalingPolicy: none,
  RemoveManagedScalingPolicy: none,
};
