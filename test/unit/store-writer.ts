/** A process that writes a store with many clients at once, to be killed: `argv[2]` is the store's file. Prints each number once its write is answered. */
import { writeSync } from "node:fs";
import { addEvent } from "../../src/store/events.ts";
import { openStore } from "../../src/store/store.ts";

const store = await openStore(process.argv[2]!);
let next = 0;
async function client(): Promise<void> {
  for (;;) {
    const number = next++;
    await store.transaction(async (tx) => {
      // Two rows: both or none.
      await addEvent(tx, "j-1", "cluster", `${number}`);
      await addEvent(tx, "j-1", "cluster", `${number}`);
    });
    writeSync(1, `${number}\n`);
  }
}
await Promise.all(Array.from({ length: 16 }, client));
