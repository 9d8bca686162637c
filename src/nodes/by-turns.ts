/** Work in turns: requests come in between, however much there is of it. */
export interface Turns {
  /** The first that came first. */
  take<T>(work: () => Promise<T>): Promise<T>;
  /** Who comes with the key of work that has not begun yet has its result. */
  share<T>(key: string, work: () => Promise<T>): Promise<T>;
}

/** At most so many pieces begin in one turn of the event loop, and at most so many are under way. */
export function byTurns(most: number): Turns {
  const waiting: (() => void)[] = [];
  const shared = new Map<string, Promise<unknown>>();
  let running = 0;
  let isDue = false;

  function begin(): void {
    isDue = false;
    for (const next of waiting.splice(0, most - running)) {
      running += 1;
      next();
    }
  }

  function beginSoon(): void {
    if (isDue || waiting.length === 0) return;
    isDue = true;
    setImmediate(begin);
  }

  async function take<T>(work: () => Promise<T>): Promise<T> {
    await new Promise<void>((resolve) => {
      waiting.push(resolve);
      beginSoon();
    });
    try {
      return await work();
    } finally {
      running -= 1;
      beginSoon();
    }
  }

  return {
    take,
    share<T>(key: string, work: () => Promise<T>): Promise<T> {
      const known = shared.get(key);
      if (known) return known as Promise<T>;
      const mine = take(() => {
        shared.delete(key);
        return work();
      });
      shared.set(key, mine);
      return mine;
    },
  };
}
