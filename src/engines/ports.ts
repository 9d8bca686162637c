/** Standard ports of the daemons, as on an EMR node. */
export const ports = {
  nameNode: 8020,
  nameNodeWeb: 9870,
  dataNode: 9866,
  dataNodeWeb: 9864,
  dataNodeIpc: 9867,
  resourceManager: 8032,
  resourceManagerWeb: 8088,
  nodeManager: 8041,
  localizer: 8040,
  nodeManagerWeb: 8042,
  collector: 8048,
  jobHistory: 10020,
  jobHistoryAdmin: 10033,
  jobHistoryWeb: 19888,
  sparkHistoryWeb: 18080,
} as const;

/** Every port that a daemon of a node listens at: another program that listens at one of them on all addresses is in the way. */
export const enginePorts: number[] = [...Object.values(ports), 8030, 8031, 8033, 13562];
