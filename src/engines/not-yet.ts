/** Classifications that EMR knows and Howdah does not honour yet, each with why: a name that a user has from EMR's documentation is never "unknown". */
import { connectors } from "./trino/places.ts";

const reasons: [names: RegExp, reason: string][] = [
  [/^(hadoop-kms-(acls|env|log4j|site)|hdfs-encryption-zones)$/, "Hadoop's key management server (KMS) is not in Howdah yet"],
  [/^httpfs-(env|site)$/, "HttpFS is not in Howdah yet. WebHDFS is at http://MASTER:9870/webhdfs/v1"],
  [/^container-executor$/, "YARN's DefaultContainerExecutor runs the containers, and it reads no container-executor.cfg"],
  [/^docker-conf$/, "YARN's containers run without Docker: Howdah needs neither Docker nor root"],
  [/^ranger-kms-/, "Ranger is not in Howdah yet"],
  [/^recordserver-/, "Lake Formation's record server is not in Howdah yet"],
  [/^emr-metrics$/, "the CloudWatch agent is not in Howdah yet. Daemons' metrics are at /jmx of their web pages"],
  [/^(hive|hive-llap-daemon-log4j2)$/, "Hive's LLAP is not in Howdah yet"],
  [/^hcatalog-webhcat-/, "WebHCat is not in Howdah yet. Hive's REST is HiveServer2's HTTP mode: hive.server2.transport.mode in hive-site"],
  [/^trino-connector-/, `of Trino's connectors Howdah has ${connectors.join(", ")}`],
  [/^trino-password-authenticator$/, "Trino's servers take any user name, without passwords: they listen on loopback only"],
  [/^trino-exchange-manager$/, "Trino's fault-tolerant execution is not in Howdah yet: its exchange manager is not among the plugins"],
  [/^presto-/, "Presto is not in Howdah yet. Trino, which came of it, is: its classifications are trino-…"],
  [/^hcatalog-server-jndi$/, "the metastore sends no messages to ActiveMQ, which that file is for"],
];

/** Of the classifications' first word, the application. */
const applications = new Map(
  Object.entries({
    delta: "Delta Lake",
    hudi: "Hudi",
    hue: "Hue",
    iceberg: "Iceberg",
    jupyter: "JupyterHub",
    livy: "Livy",
    oozie: "Oozie",
    phoenix: "Phoenix",
    pig: "Pig",
    sqoop: "Sqoop",
    zeppelin: "Zeppelin",
  }),
);

/** Why a classification of EMR's is not honoured; undefined for a name that EMR does not know either. */
export function notYet(classification: string): string | undefined {
  const found = reasons.find(([names]) => names.test(classification));
  if (found) return found[1];
  const application = applications.get(classification.split("-")[0]!);
  return application && `${application} is not in Howdah yet`;
}
