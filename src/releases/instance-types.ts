/** EMR's instance types: size, what ListSupportedInstanceTypes says of them, and the YARN settings that EMR gives them. */
import table from "./instance-types.json" with { type: "json" };

export interface InstanceType {
  name: string;
  vcpu: number;
  memoryMb: number;
  /** Local disks, and the GB of all of them together. */
  disks: number;
  storageGb: number;
  /** X86_64 or AARCH64: nodes have the host's, whatever their type. */
  architecture: string;
  /** GENERAL_CURRENT_GEN, … */
  family: string;
  is64BitsOnly: boolean;
  ebsOptimized: boolean;
  ebsOptimizedByDefault: boolean;
  ebsOnly: boolean;
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

/** vCPU, MB, disks, GB; architecture, family, 64 bits only, EBS optimised, by default, EBS only. */
type Size = [number, number, number, number];
type Kind = [string, string, number, number, number, number];
/** Where EMR's documentation has them: node, minimum, map, map heap, reduce, reduce heap, AM. */
type Yarn = [number, number, number, string, number, string, number];
type Row = [Size, Kind] | [Size, Kind, Yarn];

const rows = table as unknown as Record<string, Row>;

/** Names of ListSupportedInstanceTypes, in alphabetical order. */
export function instanceTypeNames(): string[] {
  return Object.keys(rows);
}

/**
 * undefined for a name that EMR does not know.
 *
 * Types that are newer than the documentation's table of YARN settings follow the rule that the table itself follows from the 5th
 * generation on: a quarter of the memory, at most 8 GB, stays with the system; a map task has one vCPU's share of the rest, a reduce
 * task and an application master have twice that; a heap is 80 % of its container.
 */
export function instanceType(name: string): InstanceType | undefined {
  const row = Object.hasOwn(rows, name) ? rows[name] : undefined;
  if (!row) return undefined;
  const [[vcpu, memoryMb, disks, storageGb], [architecture, family, is64BitsOnly, ebsOptimized, ebsOptimizedByDefault, ebsOnly], yarn] =
    row;
  return {
    name,
    vcpu,
    memoryMb,
    disks,
    storageGb,
    architecture,
    family,
    is64BitsOnly: is64BitsOnly === 1,
    ebsOptimized: ebsOptimized === 1,
    ebsOptimizedByDefault: ebsOptimizedByDefault === 1,
    ebsOnly: ebsOnly === 1,
    yarn: yarn ? documented(yarn) : derived(vcpu, memoryMb),
  };
}

/** Of a container with this many MB. */
export const heapOption = (mb: number) => `-Xmx${Math.round(mb * 0.8)}m`;

function documented(yarn: Yarn): InstanceType["yarn"] {
  const [nodeMemoryMb, minAllocationMb, mapMemoryMb, mapJavaOpts, reduceMemoryMb, reduceJavaOpts, amMemoryMb] = yarn;
  return { nodeMemoryMb, minAllocationMb, mapMemoryMb, mapJavaOpts, reduceMemoryMb, reduceJavaOpts, amMemoryMb };
}

function derived(vcpu: number, memoryMb: number): InstanceType["yarn"] {
  const minAllocationMb = 32;
  const inSteps = (mb: number) => Math.floor(mb / minAllocationMb) * minAllocationMb;
  const nodeMemoryMb = inSteps(memoryMb - Math.min(memoryMb / 4, 8192));
  const mapMemoryMb = Math.floor(nodeMemoryMb / vcpu);
  const reduceMemoryMb = Math.min(2 * mapMemoryMb, nodeMemoryMb);
  return {
    nodeMemoryMb,
    minAllocationMb,
    mapMemoryMb,
    mapJavaOpts: heapOption(mapMemoryMb),
    reduceMemoryMb,
    reduceJavaOpts: heapOption(reduceMemoryMb),
    amMemoryMb: reduceMemoryMb,
  };
}
