/** hive-site.xml of a node. */
import { join } from "node:path";
import { heapOption } from "../../releases/instance-types.ts";
import type { NodeFacts } from "../engine.ts";
import { jarsBehind } from "../hadoop/places.ts";
import { opened } from "../jvm.ts";
import { exportsOf, type Properties, propertiesOf } from "../settings.ts";
import { hivePlaces, metastoreUri, ports } from "./places.ts";

export const connectionUrl = "javax.jdo.option.ConnectionURL";

export const hasOwnDatabase = ({ cluster, configurations }: Pick<NodeFacts, "cluster" | "configurations">): boolean =>
  !cluster.catalog && propertiesOf(configurations, "hive-site")[connectionUrl] === undefined;

/** What the metastore alone has over hive-site.xml; the account's catalog goes over everything else. */
export function metastoreSite({ cluster: { catalog }, configurations }: NodeFacts): Properties {
  const database = catalog && {
    [connectionUrl]: catalog.url,
    "javax.jdo.option.ConnectionDriverName": "org.apache.derby.jdbc.ClientDriver",
    "javax.jdo.option.ConnectionUserName": catalog.user,
    "javax.jdo.option.ConnectionPassword": catalog.password,
  };
  return { ...propertiesOf(configurations, "hcatalog-server-proto-hive-site"), ...database };
}

export function hiveSite(facts: NodeFacts): Properties {
  const { cluster, layout, configurations } = facts;
  const at = hivePlaces(facts);
  const scratch = join(layout.tmp, "hive");
  const jars = exportsOf(configurations, "hive-env").HIVE_AUX_JARS_PATH;
  return {
    "hive.metastore.uris": metastoreUri(facts),
    "hive.metastore.warehouse.dir": "/user/hive/warehouse",
    [connectionUrl]: `jdbc:derby:;databaseName=${at.database}`,
    "javax.jdo.option.ConnectionDriverName": "org.apache.derby.jdbc.EmbeddedDriver",
    // Events are read by who asks for them, not all the time.
    "hive.metastore.event.db.notification.api.auth": "false",
    "hive.notification.event.poll.interval": "0s",
    "hive.execution.engine": "tez",
    "hive.exec.scratchdir": "/tmp/hive",
    "hive.exec.local.scratchdir": scratch,
    "hive.downloaded.resources.dir": join(scratch, "${hive.session.id}_resources"),
    "hive.querylog.location": scratch,
    // One copy of hive-exec for all users' Tez applications.
    "hive.jar.directory": "/user/hive/jars",
    "hive.server2.thrift.bind.host": cluster.master.address,
    "hive.server2.thrift.port": String(ports.server),
    "hive.server2.webui.host": cluster.master.address,
    "hive.server2.webui.port": String(ports.serverWeb),
    "hive.server2.logging.operation.log.location": join(scratch, "operation_logs"),
    "hive.server2.enable.doAs": "true",
    "hive.server2.allow.user.substitution": "true",
    // Tez applications are started by the first query that needs one: idle ones would keep a container each.
    "hive.server2.tez.initialize.default.sessions": "false",
    "hive.cli.tez.session.async": "false",
    // It reads the whole metastore at the start, and nothing else needs the views that it finds.
    "hive.server2.materializedviews.registry.impl": "DUMMY",
    // Needs a library that Hive's poms do not bring.
    "hive.async.log.enabled": "false",
    // In the client's own process: a JVM less.
    "hive.exec.submit.local.task.via.child": "false",
    ...(jars ? { "hive.aux.jars.path": jars } : {}),
    ...jobs(facts),
    ...binaryOnly(propertiesOf(configurations, "hive-site")),
  };
}

const transportMode = "hive.server2.transport.mode";

/** Its server of HTTP calls a constructor that Jetty, as Hadoop 3.4 has it, does not have any more: HiveServer2 would not start. */
export const transportWarning = (property: string, value: string): string | undefined =>
  property === transportMode && value !== "binary"
    ? `${transportMode} ${value} has no effect: HiveServer2's HTTP mode does not run beside Hadoop 3.4. Connect by jdbc:hive2://MASTER:${ports.server}`
    : undefined;

export function binaryOnly(own: Properties): Properties {
  const { [transportMode]: _, ...others } = own;
  return others;
}

const masterMb = 1024;

/** Containers have Hive's jars where the nodes have them, and reach into Java as Hive 3.1 must. */
function jobs(facts: NodeFacts): Properties {
  const { installation, instanceType } = facts;
  const { yarn } = instanceType;
  const { jobClassPath } = hivePlaces(facts);
  const options = (heap: string) => [heap, "-XX:+UseSerialGC", "-Xms64m", "-Djava.net.preferIPv4Stack=true", ...opened].join(" ");
  return {
    "mapreduce.application.classpath": [...jobClassPath, ...installation.hadoop.classPath, ...jarsBehind(facts)].join(","),
    // Of Tez's application masters, too. A session keeps its own while it runs MapReduce, so both must fit into what YARN leaves to them.
    "yarn.app.mapreduce.am.resource.mb": String(masterMb),
    "yarn.app.mapreduce.am.command-opts": options(heapOption(masterMb)),
    "mapreduce.map.java.opts": options(yarn.mapJavaOpts),
    "mapreduce.reduce.java.opts": options(yarn.reduceJavaOpts),
  };
}
