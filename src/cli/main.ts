/** The `howdah` command. */
import { useCompileCache } from "../compile-cache.ts";

// Before anything else is loaded, so that it is loaded in half the time.
useCompileCache();
const { parseCommand } = await import("./program.ts");

try {
  await parseCommand(process.argv.slice(2));
} catch (error) {
  const { isNoRoom } = await import("../store/no-room.ts");
  const hint = isNoRoom(error) ? ". The disk is full: free some space where the data folder is" : "";
  console.error(`howdah: ${error instanceof Error ? error.message : String(error)}${hint}`);
  process.exitCode = 1;
}
