import assert from "node:assert/strict";
import { test } from "node:test";
import { harness } from "./control-plane-harness.ts";

test("a cluster has no policies of auto-termination and managed scaling; a cluster that is not there has none to read", async () => {
  const { handlers, request } = await harness();
  const { JobFlowId: ClusterId = "" } = await handlers.RunJobFlow!(
    { Name: "n", ReleaseLabel: "emr-7.13.0", Instances: { MasterInstanceType: "m5.xlarge", InstanceCount: 1 } } as never,
    request,
  );
  for (const name of ["GetAutoTerminationPolicy", "GetManagedScalingPolicy", "RemoveAutoTerminationPolicy", "RemoveManagedScalingPolicy"]) {
    const operation = handlers[name as "GetAutoTerminationPolicy"]!;
    assert.deepEqual(await operation({ ClusterId }, request), {}, name);
    await assert.rejects(async () => operation({ ClusterId: "j-NONE" }, request), /Cluster id 'j-NONE' is not valid/);
  }
});
