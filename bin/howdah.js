#!/usr/bin/env node
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { runOnNode24 } from "./node24.js";

// As src/compile-cache.ts, which is TypeScript itself: from here on nothing has to load what reads that.
const cache = process.env.HOWDAH_CACHE ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "howdah");
process.env.NODE_COMPILE_CACHE ??= join(resolve(cache), "compiled");
runOnNode24("src/cli/main.ts", process.argv.slice(2));
