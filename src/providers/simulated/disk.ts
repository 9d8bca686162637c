/** What a simulated node says of its disk, in the words of real ones. */
export const diskStates = ["full", "read-only"] as const;
export type DiskState = (typeof diskStates)[number];

/** What its NodeManager says then. YARN would have it UNHEALTHY. */
export const illnessOf: Record<DiskState, string> = {
  full: "1/1 local-dirs usable space is below configured utilization percentage/no more usable space [ /mnt/yarn : used space above threshold of 90.0% ] ;",
  "read-only": "ERROR volume /mnt takes no writes: Read-only file system",
};

export const diskWarning = (instanceId: string, state: DiskState): string =>
  `${instanceId}: its volume /mnt ${state === "full" ? "is more than 90 % full" : "takes no writes: Read-only file system"}`;
