/** EMR's instance types: size, and the YARN settings that EMR gives them. */
export interface InstanceType {
  name: string;
  vcpu: number;
  memoryMb: number;
  yarn: {
    /** yarn.nodemanager.resource.memory-mb and yarn.scheduler.maximum-allocation-mb. */
    nodeMemoryMb: number;
    minAllocationMb: number;
    mapMemoryMb: number;
    mapJavaOpts: string;
    reduceMemoryMb: number;
    reduceJavaOpts: string;
    amMemoryMb: number;
  };
}
