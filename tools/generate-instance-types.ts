/**
 * Makes src/releases/instance-types.json from two tables of the EMR documentation kept as markdown: the types that
 * ListSupportedInstanceTypes answers, and the YARN settings of "Task configuration" in the release guide.
 *
 * Usage: node tools/generate-instance-types.ts SUPPORTED.md YARN.md
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const [supportedFile, yarnFile] = process.argv.slice(2);
if (!supportedFile || !yarnFile) throw new Error("usage: generate-instance-types.ts SUPPORTED.md YARN.md");

/** Rows of every markdown table in a file that has this many columns, without headings. */
function rows(file: string, columns: number): string[][] {
  return readFileSync(file, "utf8")
    .split("\n")
    .filter((line) => line.startsWith("| "))
    .map((line) =>
      line
        .split("|")
        .slice(1, -1)
        .map((cell) => cell.trim()),
    )
    .filter((cells) => cells.length === columns && !cells.includes("Type") && cells[0] !== "type" && !/^-+$/.test(cells[0] ?? ""));
}

/** "5632/2816" is the value without and with HBase: the first one is meant. */
const first = (cell: string | undefined) => (cell ?? "").split("/")[0] ?? "";
/** c6g.xlarge says "-Xmx1126" in the source: bytes would be meant, megabytes are. */
const heap = (cell: string | undefined) => first(cell).replace(/^(-Xmx\d+)$/, "$1m");

const yarn = new Map(
  rows(yarnFile, 9).map(([type, node, min, , map, mapHeap, reduce, reduceHeap, am]) => [
    type,
    [
      Number(first(node)),
      Number(first(min)),
      Number(first(map)),
      heap(mapHeap),
      Number(first(reduce)),
      heap(reduceHeap),
      Number(first(am)),
    ],
  ]),
);
const flag = (cell: string | undefined) => (cell === "True" ? 1 : 0);
const supported = rows(supportedFile, 11).map(
  ([architecture, ebsOptimized, ebsOptimizedByDefault, ebsOnly, family, is64Bit, memoryGb, disks, storageGb, name, vcpu]) => ({
    name: name!,
    memoryMb: Math.round(Number(memoryGb) * 1024),
    size: [Number(vcpu), Math.round(Number(memoryGb) * 1024), Number(disks), Number(storageGb)],
    kind: [architecture, family, flag(is64Bit), flag(ebsOptimized), flag(ebsOptimizedByDefault), flag(ebsOnly)],
  }),
);
supported.sort((a, b) => a.name.localeCompare(b.name, "en"));

// m2.2xlarge is given the memory of m2.4xlarge, more than it has.
for (const { name, memoryMb } of supported) if (Number(yarn.get(name)?.[0]) > memoryMb) yarn.delete(name);

const lines = supported.map(
  ({ name, size, kind }) => `${JSON.stringify(name)}: ${JSON.stringify([size, kind, ...(yarn.has(name) ? [yarn.get(name)] : [])])}`,
);
const target = join(import.meta.dirname, "..", "src", "releases", "instance-types.json");
writeFileSync(target, `{\n${lines.join(",\n")}\n}\n`);
console.log(`${lines.length} types, ${supported.filter(({ name }) => yarn.has(name)).length} with YARN settings of the documentation`);
