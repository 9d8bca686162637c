/** What the audit trail costs a request: `node bench/audit.ts`. Its floor is an INSERT of as many bytes into an empty table of the same kind. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { Principal } from "../src/access/principal.ts";
import { emrService as service } from "../src/aws/services/emr.ts";
import { openAudit } from "../src/observe/audit.ts";
import { type AuditedCall, auditEvent } from "../src/observe/record.ts";

const calls = 20_000;
const accountId = "123456789012";
const principal: Principal = {
  type: "IAMUser",
  arn: `arn:aws:iam::${accountId}:user/admin`,
  accountId,
  id: "AIDAADMIN",
  userName: "admin",
  tags: {},
  sessionPolicies: [],
  clusterId: null,
};
const group = (InstanceRole: string, InstanceCount: number) => ({ InstanceRole, InstanceType: "m5.xlarge", InstanceCount });
const asked: [name: string, input: object, output: object][] = [
  ["DescribeCluster", { ClusterId: "j-ABCDEFGHIJKLM" }, { Cluster: {} }],
  ["ListSteps", { ClusterId: "j-ABCDEFGHIJKLM", StepStates: ["PENDING"] }, { Steps: [] }],
  [
    "AddJobFlowSteps",
    {
      JobFlowId: "j-ABCDEFGHIJKLM",
      Steps: [{ Name: "x", HadoopJarStep: { Jar: "command-runner.jar", Args: ["spark-submit", "s3://b/k"] } }],
    },
    { StepIds: ["s-ABCDEFGHIJKLM"] },
  ],
  [
    "RunJobFlow",
    {
      Name: "n",
      ReleaseLabel: "emr-7.13.0",
      Applications: [{ Name: "Spark" }],
      Instances: { InstanceGroups: [group("MASTER", 1), group("CORE", 2)], KeepJobFlowAliveWhenNoSteps: true },
      Configurations: [{ Classification: "spark-defaults", Properties: { "spark.executor.memory": "1g" } }],
    },
    { JobFlowId: "j-ABCDEFGHIJKLM", ClusterArn: "arn:aws:elasticmapreduce:us-east-1:123456789012:cluster/j-ABCDEFGHIJKLM" },
  ],
];
const call = (i: number): AuditedCall => {
  const [name, input, output] = asked[i % asked.length]!;
  const client = {
    accessKeyId: "AKIAADMIN",
    origin: { sourceIp: "127.0.0.1", secure: false },
    host: "h",
    userAgent: "aws-sdk-js/3.1089.0 lang/js",
  };
  const request = { requestId: String(i), now: new Date(), principal, region: "us-east-1", error: undefined };
  return { ...client, ...request, service, operation: service.operations.get(name)!, input, output };
};

const folder = mkdtempSync(join(tmpdir(), "howdah-bench-audit-"));
const audit = openAudit(join(folder, "audit.db"));
let [shaping, writing, slowest, bytes] = [0, 0, 0, 0];
for (let i = 0; i < calls; i++) {
  const start = performance.now();
  const event = auditEvent(call(i));
  const shaped = performance.now();
  audit.write(event);
  const written = performance.now();
  shaping += shaped - start;
  writing += written - shaped;
  slowest = Math.max(slowest, written - shaped);
  bytes += event.record.length;
}
const floor = new DatabaseSync(join(folder, "floor.db"));
floor.exec("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA wal_autocheckpoint=4000; CREATE TABLE t (text TEXT)");
const insert = floor.prepare("INSERT INTO t VALUES (?)");
const text = "x".repeat(bytes / calls);
const start = performance.now();
for (let i = 0; i < calls; i++) insert.run(text);
const bare = performance.now() - start;

const perCall = (milliseconds: number) => `${((milliseconds / calls) * 1000).toFixed(1)} µs`;
console.log(
  `a record of ${Math.round(bytes / calls)} bytes: made in ${perCall(shaping)}, written in ${perCall(writing)} (floor ${perCall(bare)})`,
);
console.log(`the slowest write, which takes the -wal over into the file: ${slowest.toFixed(1)} ms`);
const query = { accountId, region: "us-east-1", from: 0, to: Date.now(), limit: 50 };
const searched = performance.now();
audit.lookUp({ ...query, attribute: { key: "ResourceName", value: "j-NONE" } });
console.log(`a search through ${calls} that finds nothing: ${(performance.now() - searched).toFixed(1)} ms`);
floor.close();
audit.close();
rmSync(folder, { recursive: true });
