/** Trino's catalogs: a file for each. hive and iceberg have the cluster's metastore, HDFS, and s3:// by Trino's own client. */
import { join } from "node:path";
import type { NodeFacts } from "../engine.ts";
import { hadoopPlaces } from "../hadoop/places.ts";
import { metastoreUri } from "../hive/places.ts";
import { type Properties, propertiesOf } from "../settings.ts";
import { type Connector, connectors } from "./places.ts";

export const classificationOf = (connector: Connector): string => `trino-connector-${connector}`;

/** Of AWS's settings that choose the account's catalog (glue/settings.ts): the metastore itself is led to it. */
const isOfGlue = (property: string, value: string) =>
  (property === "hive.metastore" && value === "glue") || property.startsWith("hive.metastore.glue.");

/** There without being asked for; the others are where their classifications are given. */
const always: readonly Connector[] = ["hive", "iceberg", "tpch", "memory"];

/** By name, without `.properties`. */
export function catalogs(facts: NodeFacts): [Connector, Properties][] {
  const isGiven = (connector: Connector) =>
    facts.configurations.some(({ Classification }) => Classification === classificationOf(connector));
  return connectors
    .filter((connector) => always.includes(connector) || isGiven(connector))
    .map((connector) => {
      const own = Object.entries(propertiesOf(facts.configurations, classificationOf(connector)));
      return [connector, { ...defaults(connector, facts), ...Object.fromEntries(own.filter(([name, value]) => !isOfGlue(name, value))) }];
    });
}

function defaults(connector: Connector, facts: NodeFacts): Properties {
  if (connector === "hive")
    return {
      "connector.name": "hive",
      "hive.metastore": "thrift",
      "hive.metastore.uri": metastoreUri(facts),
      // Tables and their files belong to whoever asks, as with HiveServer2.
      "hive.metastore.thrift.impersonation.enabled": "true",
      "hive.non-managed-table-writes-enabled": "true",
      ...files(facts),
    };
  if (connector === "iceberg")
    return {
      "connector.name": "iceberg",
      "iceberg.catalog.type": "hive_metastore",
      "hive.metastore.uri": metastoreUri(facts),
      "hive.metastore.thrift.impersonation.enabled": "true",
      ...files(facts),
    };
  return { "connector.name": connector };
}

/** Credentials are in no file: the AWS SDK's default chain ends with those of the node. */
function files({ cluster, layout }: NodeFacts): Properties {
  const { conf } = hadoopPlaces(layout);
  return {
    "fs.hadoop.enabled": "true",
    "hive.config.resources": ["core-site.xml", "hdfs-site.xml"].map((name) => join(conf, name)).join(","),
    "hive.hdfs.impersonation.enabled": "true",
    "fs.native-s3.enabled": "true",
    "s3.endpoint": cluster.endpoint,
    "s3.region": cluster.region,
    "s3.path-style-access": "true",
  };
}
