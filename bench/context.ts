/** What a bench is given, and what a bench is. */
import type { Figure } from "./figures.ts";
import type { Howdah } from "./howdah.ts";

export interface AloneContext {
  rounds: number;
  /** Inputs are as small as they can be: only to see that the bench works. */
  smoke: boolean;
  say(text: string): void;
}

export interface BenchContext extends AloneContext {
  howdah: Howdah;
  /** A cluster of 1 master, 2 core and 1 task node in WAITING; made when it is first asked for. */
  cluster(): Promise<string>;
}

export interface About {
  name: string;
  /** One line for --help. */
  about: string;
  /** false: runs only where it is named. */
  always: boolean;
}

/** Needs no Howdah that runs, and no engines. */
export interface BenchAlone extends About {
  run(context: AloneContext): Promise<Figure[]>;
}

export interface Bench extends About {
  run(context: BenchContext): Promise<Figure[]>;
}
