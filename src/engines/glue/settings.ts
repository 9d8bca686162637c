/** AWS's settings of Hive, Spark and Trino that choose the account's catalog. Source: EMR release guide, "Using the AWS Glue Data Catalog as the metastore for Hive" and "… for Spark SQL", "Using Presto with the AWS Glue Data Catalog". */
import type { Configuration } from "../engine.ts";
import { propertiesOf } from "../settings.ts";

const factory = "hive.metastore.client.factory.class";
const glueFactory = "com.amazonaws.glue.catalog.metastore.AWSGlueDataCatalogHiveClientFactory";
/** EMR's own default, which is no choice. */
const hiveFactory = "org.apache.hadoop.hive.ql.metadata.SessionHiveMetaStoreClientFactory";
const catalogId = "hive.metastore.glue.catalogid";
const classifications = ["hive-site", "spark-hive-site"] as const;

/** Name of the engine that a cluster with the account's catalog, and without Hive, has. */
export const glueName = "Glue";

/** Names of a cluster's engines. */
export const engineNames = ({ applications, usesCatalog }: { applications: readonly { Name: string }[]; usesCatalog?: true }): string[] => {
  const names = applications.map(({ Name }) => Name);
  return usesCatalog && !hasHive(names) ? [...names, glueName] : names;
};

const hasHive = (applications: readonly string[]) => applications.includes("Hive") || applications.includes("HCatalog");

/** Whether a cluster uses its account's catalog, and what of its settings cannot be. `configurations`: the cluster's, with a group's over them. */
export function readGlue(
  configurations: readonly Configuration[],
  applications: readonly string[],
  accountId: string,
): { isChosen: boolean; errors: string[] } {
  const errors: string[] = [];
  const chosen = classifications.filter((name) => {
    const own = propertiesOf(configurations, name);
    const chosenFactory = own[factory]?.trim();
    if (chosenFactory !== undefined && chosenFactory !== glueFactory && chosenFactory !== hiveFactory)
      errors.push(`${name}: ${factory} is ${glueFactory} or not given; ${chosenFactory} is not on the nodes`);
    const id = own[catalogId]?.trim();
    if (id !== undefined && id !== accountId)
      errors.push(`${name}: ${catalogId} is the account's own, ${accountId}: ${id} is another account's catalog, and none is shared`);
    return chosenFactory === glueFactory;
  });
  const ofTrino = propertiesOf(configurations, "trino-connector-hive")["hive.metastore"]?.trim();
  if (ofTrino !== undefined && ofTrino !== "glue" && ofTrino !== "thrift")
    errors.push(`trino-connector-hive: hive.metastore is thrift or glue; ${ofTrino} is not on the nodes`);
  const others = [...(chosen.includes("spark-hive-site") ? ["Spark"] : []), ...(ofTrino === "glue" ? ["Trino"] : [])];
  // One metastore serves all of them.
  if (hasHive(applications) && others.length > 0 && !chosen.includes("hive-site"))
    errors.push(
      `${factory} leads ${others.join(" and ")} alone to the account's catalog, and the cluster has one metastore for Hive, too: give it in hive-site, too`,
    );
  return { isChosen: chosen.length > 0 || ofTrino === "glue", errors };
}
