/** How set-up brings an engine to the machine: locked files from Maven, and what is made of them, in one folder of the cache. */
import type { EngineLock } from "../releases/release.ts";

export interface EngineSetup {
  /** Folder of commands, with the engine's source; they are in `bin` of its home. */
  readonly commands?: string;
  /** Files whose content decides what `make` makes: Java sources, patches. */
  readonly sources?: readonly string[];
  /** What `make` leaves in the home: paths relative to it. */
  readonly made?: readonly string[];
  /**
   * Jars of its JVMs in their class path's order, of `lib`'s and of Hadoop's: their classes, listed in src/releases/classes/NAME-VERSION.gz, are dumped into an
   * archive for the front of every such class path.
   */
  archived?(home: string, lib: readonly string[], hadoopClassPath: readonly string[]): string[];
  /** Fills the new home beside `lib`, which holds the lock's jars already. */
  make?(making: Making): Promise<void>;
}

export interface Making {
  /** The home, still under another name. */
  folder: string;
  lock: EngineLock;
  /** Where a locked file is, by its artifact's name, and by its classifier where it has several. */
  file(artifact: string, classifier?: string): string;
  jdk: string;
  /** Of the release's Hadoop. */
  hadoopClassPath: readonly string[];
}

/** An engine's home on this machine. */
export interface EngineHome {
  home: string;
  version: string;
  /** Jars of `lib`, in the one order that class archives are made with. */
  classPath: string[];
  /** Where the engine has one. */
  archive: string | undefined;
}
