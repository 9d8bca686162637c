/** Requests come first: what is done for nobody who waits begins when none is under way. All of it shares one thread, and one store. */
import type { Answerer } from "./api/http.ts";

export interface Precedence {
  /** The same answers; while one is made, a request is under way. */
  first(answer: Answerer): Answerer;
  /** Resolves when no request is under way, and after `mostMs` at the latest: whether that is so. */
  quiet(mostMs: number): Promise<boolean>;
}

export function createPrecedence(): Precedence {
  let underWay = 0;
  const waiting = new Set<() => void>();

  function look(): void {
    if (underWay === 0) for (const isQuiet of waiting) isQuiet();
  }

  return {
    first: (answer) => async (request) => {
      underWay += 1;
      try {
        return await answer(request);
      } finally {
        underWay -= 1;
        // Once the answer has gone out, and what has come meanwhile is known.
        if (underWay === 0 && waiting.size > 0) setImmediate(look);
      }
    },
    quiet(mostMs) {
      if (underWay === 0) return Promise.resolve(true);
      return new Promise((resolve) => {
        const end = (found: boolean) => {
          waiting.delete(isQuiet);
          clearTimeout(late);
          resolve(found);
        };
        const isQuiet = () => end(true);
        const late = setTimeout(() => end(false), mostMs);
        waiting.add(isQuiet);
      });
    },
  };
}
