/** A process that brings the store at `argv[2]` forward and kills itself, as by `kill -9`, where SQLite is to read statement number `argv[3]`. */
import { DatabaseSync } from "node:sqlite";
import { openStore } from "../../src/store/store.ts";

const { prepare } = DatabaseSync.prototype;
let left = Number(process.argv[3]);
DatabaseSync.prototype.prepare = function (...args) {
  if (left-- === 0) process.kill(process.pid, "SIGKILL");
  return prepare.apply(this, args);
};
await openStore(process.argv[2]!);
