/** Regions and their availability zones. Source: AWS General Reference, "Amazon EC2 endpoints"; Amazon EC2 User Guide, "Regions and Zones". */

/** Regions that need no opting in; false for those that do. */
const regions: Record<string, boolean> = {
  "us-east-1": true,
  "us-east-2": true,
  "us-west-1": true,
  "us-west-2": true,
  "ca-central-1": true,
  "eu-central-1": true,
  "eu-north-1": true,
  "eu-west-1": true,
  "eu-west-2": true,
  "eu-west-3": true,
  "ap-northeast-1": true,
  "ap-northeast-2": true,
  "ap-northeast-3": true,
  "ap-south-1": true,
  "ap-southeast-1": true,
  "ap-southeast-2": true,
  "sa-east-1": true,
  "af-south-1": false,
  "ap-east-1": false,
  "ap-south-2": false,
  "ap-southeast-3": false,
  "ap-southeast-4": false,
  "ca-west-1": false,
  "eu-central-2": false,
  "eu-south-1": false,
  "eu-south-2": false,
  "il-central-1": false,
  "me-central-1": false,
  "me-south-1": false,
};

export interface Region {
  name: string;
  optIn: "opt-in-not-required" | "opted-in";
}

/** All of them can be used at once in Howdah; `asked`, by whatever name a client signs for, is among them. */
export function allRegions(asked: string): Region[] {
  const names = new Set([...Object.keys(regions), asked]);
  return [...names].toSorted().map((name) => ({ name, optIn: regions[name] === false ? "opted-in" : "opt-in-not-required" }));
}

export interface Zone {
  /** us-east-1a */
  name: string;
  /** use1-az1: the same for every account, unlike AWS's. */
  id: string;
}

/** Three in each region. */
export const zonesOf = (region: string): Zone[] =>
  ["a", "b", "c"].map((letter, index) => ({ name: `${region}${letter}`, id: `${abbreviate(region)}-az${index + 1}` }));

/** use1 of us-east-1, apne1 of ap-northeast-1. */
function abbreviate(region: string): string {
  const [area = "", ...rest] = region.split("-");
  return area + rest.map((word) => word.replace(/north|south|east|west|central/g, (direction) => direction.charAt(0))).join("");
}
