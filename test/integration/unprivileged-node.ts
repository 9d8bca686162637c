/**
 * Run as a user without root by local-provider.test.ts: a node in each degree that the host allows, from launch to nothing left, with what a script
 * finds on it. The engines are not there: their commands are only links.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Report } from "../../src/agent/manifest.ts";
import { planNode } from "../../src/engines/plan-node.ts";
import { enterNode } from "../../src/providers/local/enter.ts";
import { bestDegree } from "../../src/providers/local/provider.ts";
import { findPython } from "../../src/setup/machine.ts";
import { venvBase } from "../../src/setup/pip.ts";
import { factsOf } from "../unit/engine-facts.ts";
import { createNodeHarness, launchSpec, manifest } from "./node-harness.ts";

const wentWell = ({ steps }: Report, entered: { status: number | null; stdout: string }): boolean =>
  steps[0]?.exitCode === 0 && entered.status === 7 && entered.stdout === "hadoop on i-00000000000000a5e\n";

const everywhere = `
mkdir $HOME/d && chmod 0 $HOME/d
pip3 --version; test "$(python3 -c 'import sys; print(sys.prefix)')" = "$(dirname "$(dirname "$(command -v python3)")")"
`;
/** Of the machine's files, most belong to real root, whom this node knows as nobody. */
const inView = `
test "$(whoami)" = hadoop; test "$(id -u)" = 0; hostname -f | grep -q '\\.ec2\\.internal$'
sudo touch /etc/howdah-node-test /usr/lib/howdah-node-test; sudo mkdir -p /opt/mine /emr/mine; touch /mnt/var/log/x
test "$(sudo -u hdfs sh -c 'echo $HADOOP_USER_NAME')" = hdfs; test "$(su - hadoop -c 'echo $HOME')" = /home/hadoop
test "$(/usr/bin/python3 -c 'import sys; print(sys.prefix)')" = "$(python3 -c 'import sys; print(sys.prefix)')"
test -L /etc/hadoop/conf; test -L /usr/lib/spark; grep -q PENDING /emr/instance-controller/lib/info/job-flow-state.txt || grep -q SUCCESSFUL /mnt/var/lib/info/job-flow-state.txt
test "$(env -i bash -lc 'echo $HADOOP_USER_NAME $HOME')" = "hadoop /home/hadoop"
for refused in "apt-get install -y sl" "yum install -y hello" "dnf install hello"; do
  if said=$(sudo $refused 2>&1); then exit 1; fi
  echo "$said" | grep -q 'belongs to a user without root'
done
test "$(systemctl is-active still)" = active; old=$(systemctl show still | grep MainPID)
sudo systemctl restart still; test "$(systemctl show still | grep MainPID)" != "$old"
sudo systemctl stop still; test "$(systemctl is-active still)" = inactive; sudo systemctl start still
`;

const home = process.env.HOME!;
const python = await findPython();
execFileSync(python, ["-m", "venv", join(home, "tools")]);
const pythonBase = await venvBase(join(home, "tools"));

console.log(`uid ${process.getuid!()}`);
const best = await bestDegree();
for (const degree of best.degree === "view" ? (["view", "plain"] as const) : (["plain"] as const)) {
  const harness = await createNodeHarness(degree);
  try {
    const spec = launchSpec(await harness.provider.claimNetwork("j-USER", undefined), 1, "j-USER", "i-00000000000000a5e");
    await harness.provider.launch(spec);
    const layout = harness.layout(spec.instanceId);
    const facts = factsOf(["MASTER"], 0);
    const plan = planNode({ ...facts, layout, installation: { ...facts.installation, pythonBase } });
    const script = `set -e\n${everywhere}${degree === "view" ? inView : ""}`;
    const log = join(layout.logs, "still.log");
    harness.control().order(
      manifest(spec, {
        env: { ...plan.env, PATH: plan.path.join(":") },
        base: plan.base,
        daemons: [{ name: "still", argv: ["sleep", "3600"], log, ready: [], gate: true }],
        steps: [{ id: "s-USER", name: "a", fetch: [], argv: ["bash", "-xc", script], env: {} }],
      }),
    );
    const report = await harness.control().reported(spec.instanceId, "the step's end", ({ steps }) => steps[0]?.state === "exited");
    const entry = enterNode(layout);
    const [program, ...args] = [...entry.prefix, "bash", "-c", "echo $USER on $HOWDAH_NODE; exit 7"];
    const entered = spawnSync(program!, args, { env: entry.env, encoding: "utf8" });
    const said = readFileSync(join(layout.logs, "steps", "s-USER", "stderr"), "utf8");
    await harness.provider.terminate(spec.instanceId);
    const left = harness.processes(spec.instanceId).length;
    await harness.provider.reclaim(spec.instanceId);
    console.log(`${degree}: ${wentWell(report, entered) && left === 0 ? "well" : JSON.stringify({ report, entered, left, said })}`);
  } finally {
    await harness.dispose();
  }
}
