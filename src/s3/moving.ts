/** A body that drips holds a connection for next to nothing: it must come at some rate. One that does not come at all is ended by its socket. */
import { AwsError } from "../aws/errors.ts";

/** Waited for at all, before the rate counts. */
const graceMs = 60_000;
/** In bytes a second: far below any line that is meant to carry data. */
const slowest = 1024;

/**
 * Passes pieces on. Only the time that is spent waiting for the client counts, not that of a server that is slow to take what came. Throws S3's
 * RequestTimeout. `steady` is a clock in milliseconds that nobody sets.
 */
export async function* moving(source: AsyncIterable<Buffer>, steady: () => number = () => performance.now()): AsyncGenerator<Buffer> {
  let waited = 0;
  let received = 0;
  let since = steady();
  for await (const piece of source) {
    waited += steady() - since;
    received += piece.length;
    if (waited > graceMs + (received / slowest) * 1000)
      throw new AwsError(
        "RequestTimeout",
        "Your socket connection to the server was not read from or written to within the timeout period. Idle connections will be closed.",
      );
    yield piece;
    since = steady();
  }
}
