/**
 * Makes src/releases/prices.json: what an hour of each of EMR's instance types costs on demand in us-east-1, in USD. The source is the price list of EC2 as
 * Karpenter's provider for AWS keeps it (Apache-2.0), pkg/providers/pricing/zz_generated.pricing_aws.go of its Go module.
 *
 * Usage: node tools/generate-prices.ts PRICES.go VERSION
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { instanceTypeNames } from "../src/releases/instance-types.ts";

const [file, version] = process.argv.slice(2);
if (!file || !version) throw new Error("usage: generate-prices.ts PRICES.go VERSION");

const text = readFileSync(file, "utf8");
const [region] = /"us-east-1": \{[^}]*\}/.exec(text) ?? [];
const [, listedOn] = /generated at (\d{4}-\d\d-\d\d)/.exec(text) ?? [];
if (!region || !listedOn) throw new Error(`${file} is not what it was: it has no prices of us-east-1, or no date`);
const listed = new Map([...region.matchAll(/"([\w-]+\.[\w-]+)": ([\d.]+)/g)].map(([, name, price]) => [name!, Number(price)]));

const types = instanceTypeNames();
const known = types.filter((name) => (listed.get(name) ?? 0) > 0);
const rows = known.map((name) => `    ${JSON.stringify(name)}: ${listed.get(name)}`).join(",\n");
const source = `Karpenter's provider for AWS ${version}: EC2's price list of ${listedOn}, us-east-1`;
const target = join(import.meta.dirname, "..", "src", "releases", "prices.json");
writeFileSync(target, `{\n  "source": ${JSON.stringify(source)},\n  "usdPerHour": {\n${rows}\n  }\n}\n`);
console.log(
  `${known.length} of ${types.length} types; without a price: ${types.filter((name) => !known.includes(name)).join(", ") || "none"}`,
);
