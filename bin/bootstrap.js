// `npm run demo`, `npm test`, `npm run bench` and `npm run simulate` of a fresh clone start here: bring the npm packages, then hand over to Node 24.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { findNode24, root, runOnNode24 } from "./node24.js";

const read = (path) => (existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : undefined);

/** npm leaves its own copy of the lock in node_modules: the packages are there when every entry that fits this machine is. */
function packagesAreThere() {
  const wanted = read(join(root, "package-lock.json"))?.packages ?? {};
  const have = read(join(root, "node_modules", ".package-lock.json"))?.packages;
  if (!have || !findNode24()) return false;
  return Object.entries(wanted).every(([path, entry]) => path === "" || entry.optional || have[path]?.version === entry.version);
}

if (!packagesAreThere()) {
  console.log("Bringing the npm packages …");
  const done = spawnSync("npm", ["ci", "--no-fund", "--no-audit", "--include=dev", "--include=optional"], { cwd: root, stdio: "inherit" });
  if (done.status !== 0) {
    console.error("npm ci failed: see above. Howdah needs the npm registry once, or a mirror of it in your .npmrc.");
    process.exit(1);
  }
}

const [task, ...args] = process.argv.slice(2);
const files = { demo: "src/cli/demo.ts", test: "test/run.ts", bench: "bench/run.ts", simulate: "test/simulation/main.ts" };
runOnNode24(files[task], args);
