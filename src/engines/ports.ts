/** The standard ports that daemons of nodes listen on: a program of the host that has one on all addresses is in their way. */
export const enginePorts: readonly number[] = [
  8020, 9870, // NameNode: RPC, web
  9864, 9866, 9867, // DataNode: web, data, IPC
  8030, 8031, 8032, 8033, 8088, // ResourceManager: scheduler, tracker, clients, admin, web
  8040, 8041, 8042, 13562, // NodeManager: localizer, containers, web, shuffle
  10020, 10033, 19888, // MapReduce history server: RPC, admin, web
  18080, // Spark history server
];
