/**
 * Writes the coverage table of docs/api.md: every operation of every service's model, whether it is there (from the dispatch tables), and the tests that
 * call it (from their text: an SDK command, a handler, the aws CLI's or boto3's name). The text above the table is written by hand.
 *
 * Usage: node tools/api-coverage.ts
 */
import { globSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import * as refusedByEc2 from "../src/api/ec2/refused.ts";
import { operations as ofEmr } from "../src/api/emr/handlers.ts";
import { createServices } from "../src/api/services.ts";

const root = dirname(import.meta.dirname);
export const page = join(root, "docs", "api.md");
const begin = "<!-- below: node tools/api-coverage.ts -->\n";

interface Named {
  title: string;
  /** What the aws CLI calls it. */
  cli: string;
  /** Of its SDK's package: @aws-sdk/client-… */
  client: string;
}

/** By signing name. */
const known: Record<string, Named> = {
  elasticmapreduce: { title: "EMR", cli: "emr", client: "emr" },
  sts: { title: "STS", cli: "sts", client: "sts" },
  iam: { title: "IAM", cli: "iam", client: "iam" },
  cloudtrail: { title: "CloudTrail", cli: "cloudtrail", client: "cloudtrail" },
  ec2: { title: "EC2", cli: "ec2", client: "ec2" },
  glue: { title: "Glue", cli: "glue", client: "glue" },
};

/** The aws CLI's own commands for EMR. */
const commands: Record<string, string[]> = {
  RunJobFlow: ["create-cluster"],
  AddJobFlowSteps: ["add-steps"],
  TerminateJobFlows: ["terminate-clusters"],
  SetTerminationProtection: ["modify-cluster-attributes --termination-protected", "modify-cluster-attributes --no-termination-protected"],
  SetVisibleToAllUsers: ["modify-cluster-attributes --visible-to-all-users", "modify-cluster-attributes --no-visible-to-all-users"],
};

/** These call every operation of the model alike: they say nothing of one. */
const ofAll = [
  "every-operation.test.ts",
  "fuzz.test.ts",
  "fuzz-input.ts",
  "fuzz-world.ts",
  "fuzz-examples.ts",
  "operations.test.ts",
  "service-authorization.json",
];

interface TestFile {
  name: string;
  text: string;
}

function testFiles(): TestFile[] {
  const found = globSync("test/{unit,integration,clients}/*.{ts,py}", { cwd: root }).toSorted();
  const own = found.filter((path) => !ofAll.includes(basename(path)) && basename(path) !== "api-coverage.test.ts");
  return own.map((path) => ({
    name: path.replace(/^test\//, "").replace(/(\.test)?\.\w+$/, ""),
    text: readFileSync(join(root, path), "utf8"),
  }));
}

/** As the aws CLI and botocore spell an operation: ListMFADevices is list-mfa-devices. */
const kebab = (operation: string): string =>
  operation
    .replace(/([a-z\d])([A-Z])/g, "$1-$2")
    .replace(/([A-Z]+)([A-Z][a-z])/g, "$1-$2")
    .toLowerCase();

/** Where several services have an operation of this name, only what says whose it is counts. */
function callsOf(operation: string, { cli, client }: Named, isShared: boolean): RegExp {
  const names = [kebab(operation), ...(cli === "emr" ? (commands[operation] ?? []) : [])];
  const own = [`\\b${cli} (?:${names.join("|")})(?![\\w-])`, `import[^;]*\\b${operation}Command\\b[^;]*"@aws-sdk/client-${client}"`];
  if (cli === "emr") own.push(`\\bhandlers\\.${operation}\\b`);
  const any = [
    `\\b${operation}Command\\b`,
    `\\bpaginate${operation}\\b`,
    `["'\`]${operation}["'\`]`,
    `\\.${kebab(operation).replaceAll("-", "_")}\\(`,
  ];
  return new RegExp([...own, ...(isShared ? [] : any)].join("|"));
}

/** Of the tests of one operation the table names this many; and of what is not there. */
const [most, mostAbsent] = [6, 100];

function rowOf(operation: string, tests: string[]): string {
  const named = tests.slice(0, most).join(", ");
  return `| ${operation} | ${named}${tests.length > most ? ", …" : ""} |`;
}

interface Api extends Named {
  all: string[];
  isThere(operation: string): boolean;
}

/** What the dispatch tables have; those of EMR and EC2 also have what they refuse. */
async function apis(): Promise<Api[]> {
  const found = Object.entries(createServices({} as never)).map(async ([name, load]): Promise<Api> => {
    const { service, handlers } = await load();
    const isRefused = (operation: string) =>
      name === "elasticmapreduce"
        ? typeof ofEmr[operation as keyof typeof ofEmr] !== "function"
        : name === "ec2" && operation in refusedByEc2;
    return {
      ...(known[name] ?? { title: name, cli: name, client: name }),
      all: [...service.operations.keys()].toSorted(),
      isThere: (operation) => operation in handlers && !isRefused(operation),
    };
  });
  return Promise.all(found);
}

function section(api: Api, files: readonly TestFile[], others: readonly Api[]): string {
  const there = api.all.filter((operation) => api.isThere(operation));
  const absent = api.all.filter((operation) => !api.isThere(operation));
  const rows = there.map((operation) => {
    const isShared = others.some(({ all }) => all.includes(operation));
    const calls = callsOf(operation, api, isShared);
    const tests = files.filter(({ text }) => calls.test(text)).map(({ name }) => name);
    return rowOf(operation, tests);
  });
  const named = absent.length > mostAbsent ? `the other ${absent.length} of the model` : absent.join(", ");
  return [
    `## ${api.title}: ${there.length} of ${api.all.length} operations`,
    "",
    "| operation | tests that call it |",
    "|---|---|",
    ...rows,
    "",
    ...(absent.length > 0 ? [`**Answered by an error that says what to do instead, or that it is not there:** ${named}.`, ""] : []),
  ].join("\n");
}

/** docs/api.md as it must be: the text above the mark as it is now, and the tables. */
export async function rendered(now: string): Promise<string> {
  const [files, all] = [testFiles(), await apis()];
  const sections = all.map((api) => {
    const others = all.filter((other) => other !== api);
    return section(api, files, others);
  });
  return `${now.slice(0, now.indexOf(begin))}${begin}\n${sections.join("\n")}`;
}

if (import.meta.main) writeFileSync(page, await rendered(readFileSync(page, "utf8")));
