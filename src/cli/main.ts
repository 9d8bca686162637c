/** The `howdah` command. */
import { useCompileCache } from "../compile-cache.ts";

// Before anything else is loaded, so that it is loaded in half the time.
useCompileCache();
const { parseCommand } = await import("./program.ts");

try {
  await parseCommand(process.argv.slice(2));
} catch (error) {
  console.error(`howdah: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
