/** The `howdah` command. */
import { parseCommand } from "./program.ts";

try {
  await parseCommand(process.argv.slice(2));
} catch (error) {
  console.error(`howdah: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
