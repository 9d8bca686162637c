/** What every provider must do, whatever its instances are made of. A provider's test calls this with a way to make one. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { AddressTaken, type LaunchSpec, type Provider } from "../../src/providers/provider.ts";
import { eventually } from "./node-harness.ts";

export interface ProviderUnderTest {
  provider: Provider;
  /** Another object over the same instances: a control plane that was started again. The first one is not used in between. */
  create(): Provider;
  launchSpec(network: string, ordinal: number, clusterId: string, instanceId: string): LaunchSpec;
  /** Makes the agent run something that does not end, and resolves when it runs. */
  occupy(spec: LaunchSpec): Promise<void>;
  /** kill -9 of what holds the instance together, as the host's out-of-memory killer might do it. */
  kill(instanceId: string): void;
  /** How many processes of the instance are alive, its init's included. */
  processes(instanceId: string): number;
  dispose(): Promise<void>;
}

export function providerConformance(name: string, make: () => Promise<ProviderUnderTest>): void {
  describe(`provider ${name}`, () => {
    let under: ProviderUnderTest;
    let provider: Provider;
    let ordinal = 0;
    const nextId = () => `i-${(++ordinal).toString(16).padStart(17, "0")}`;
    before(async () => {
      under = await make();
      provider = under.provider;
    });
    after(() => under?.dispose());

    async function launched(clusterId: string): Promise<LaunchSpec> {
      const network = await provider.claimNetwork(clusterId, undefined);
      const spec = under.launchSpec(network, ordinal + 1, clusterId, nextId());
      await provider.launch(spec);
      return spec;
    }

    it("knows nothing of an instance that was never launched, and removes it without complaint", async () => {
      assert.equal(await provider.observe("i-0000000000000dead"), "absent");
      await provider.terminate("i-0000000000000dead");
      await provider.reclaim("i-0000000000000dead");
      assert.deepEqual(await provider.list(), []);
    });

    it("launches once, however often it is asked", async () => {
      const spec = await launched("j-ONCE");
      await under.occupy(spec);
      const before = under.processes(spec.instanceId);
      await provider.launch(spec);
      assert.equal(under.processes(spec.instanceId), before);
      assert.equal(await provider.observe(spec.instanceId), "running");
      assert.ok((await provider.list()).includes(spec.instanceId));
      await provider.terminate(spec.instanceId);
    });

    it("two launches at the same moment make one instance", async () => {
      const network = await provider.claimNetwork("j-TWICE", undefined);
      const spec = under.launchSpec(network, 1, "j-TWICE", nextId());
      await Promise.all([provider.launch(spec), under.create().launch(spec)]);
      await under.occupy(spec);
      assert.equal(await provider.observe(spec.instanceId), "running");
      await provider.terminate(spec.instanceId);
      assert.equal(under.processes(spec.instanceId), 0);
    });

    it("terminates what runs on the instance too; twice is as good as once; reclaim forgets it", async () => {
      const spec = await launched("j-END");
      await under.occupy(spec);
      await provider.terminate(spec.instanceId);
      assert.equal(under.processes(spec.instanceId), 0);
      await provider.terminate(spec.instanceId);
      assert.equal(await provider.observe(spec.instanceId), "stopped");
      await provider.reclaim(spec.instanceId);
      await provider.reclaim(spec.instanceId);
      assert.equal(await provider.observe(spec.instanceId), "absent");
      assert.ok(!(await provider.list()).includes(spec.instanceId));
    });

    it("an instance whose init is killed leaves nothing, and can be launched again", async () => {
      const spec = await launched("j-KILL");
      await under.occupy(spec);
      under.kill(spec.instanceId);
      await eventually("the end of all its processes", () => under.processes(spec.instanceId) === 0);
      await eventually("stopped", async () => (await provider.observe(spec.instanceId)) === "stopped");
      await provider.launch(spec);
      assert.equal(await provider.observe(spec.instanceId), "running");
      await provider.terminate(spec.instanceId);
      assert.equal(under.processes(spec.instanceId), 0);
    });

    it("an instance whose init was killed just now can be launched at once", async () => {
      const spec = await launched("j-RELAUNCH");
      await under.occupy(spec);
      under.kill(spec.instanceId);
      await eventually("stopped", async () => (await provider.observe(spec.instanceId)) !== "running");
      await provider.launch(spec);
      assert.equal(await provider.observe(spec.instanceId), "running");
      await provider.terminate(spec.instanceId);
      assert.equal(under.processes(spec.instanceId), 0);
    });

    it("gives two clusters two networks, and a cluster the same one again", async () => {
      const first = await provider.claimNetwork("j-A", undefined);
      const second = await provider.claimNetwork("j-B", undefined);
      assert.notEqual(first, second);
      assert.equal(await provider.claimNetwork("j-A", first), first);
      const other = await under.create().claimNetwork("j-C", undefined);
      assert.ok(![first, second].includes(other), "another control plane of the same machine got a network that is taken");
      await provider.releaseNetwork("j-A");
      await provider.releaseNetwork("j-A");
      assert.equal(await provider.claimNetwork("j-D", first), first);
    });

    it("refuses an address that another node has", async () => {
      const spec = await launched("j-ADDRESS");
      await assert.rejects(provider.launch({ ...spec, instanceId: nextId() }), AddressTaken);
      await provider.terminate(spec.instanceId);
    });

    it("after a restart of the control plane finds its instances and their network again", async () => {
      const spec = await launched("j-AGAIN");
      await under.occupy(spec);
      const network = await provider.claimNetwork("j-AGAIN", undefined);
      await provider.releaseNetwork("j-AGAIN"); // As the kernel does at the end of a control plane.
      const stranger = under.create();
      assert.notEqual(await stranger.claimNetwork("j-STRANGER", network), network, "living nodes hold their network");
      const again = under.create();
      assert.equal(await again.claimNetwork("j-AGAIN", network), network);
      assert.equal(await again.observe(spec.instanceId), "running");
      assert.ok((await again.list()).includes(spec.instanceId));
      await again.launch(spec);
      await again.terminate(spec.instanceId);
      assert.equal(under.processes(spec.instanceId), 0);
    });
  });
}
