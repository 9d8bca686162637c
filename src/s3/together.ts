/** What one thread has to tell another: each message wakes it, whatever is in it. */

/** A function that takes one thing, and has `send` send all that have come when `soon` calls. */
export function together<T>(soon: (call: () => void) => unknown, send: (things: T[]) => void): (thing: T) => void {
  let things: T[] = [];
  const sendNow = () => {
    const those = things;
    things = [];
    send(those);
  };
  return (thing) => {
    if (things.push(thing) === 1) soon(sendNow);
  };
}
