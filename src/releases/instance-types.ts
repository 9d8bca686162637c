/** EMR's instance types: size, and the YARN settings that EMR gives them. */
import table from "./instance-types.json" with { type: "json" };

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

/** vCPU and MB; then, where EMR's documentation has them: node, minimum, map, map heap, reduce, reduce heap, AM. */
type Row = [number, number] | [number, number, number, number, number, string, number, string, number];

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
  const [vcpu, memoryMb] = row;
  if (row.length === 9) {
    const [, , nodeMemoryMb, minAllocationMb, mapMemoryMb, mapJavaOpts, reduceMemoryMb, reduceJavaOpts, amMemoryMb] = row;
    return {
      name,
      vcpu,
      memoryMb,
      yarn: { nodeMemoryMb, minAllocationMb, mapMemoryMb, mapJavaOpts, reduceMemoryMb, reduceJavaOpts, amMemoryMb },
    };
  }
  return { name, vcpu, memoryMb, yarn: derived(vcpu, memoryMb) };
}

/** Of a container with this many MB. */
export const heapOption = (mb: number) => `-Xmx${Math.round(mb * 0.8)}m`;

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
