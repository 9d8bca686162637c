/** Web pages of a cluster's daemons. They are on its master, as in EMR. */
import { enginesFor } from "./index.ts";

/** `master` is the address of the master node, `applications` as in RunJobFlow. */
export const userInterfaces = (master: string, applications: readonly string[]): { name: string; url: string }[] =>
  enginesFor(applications).flatMap(({ pages }) => pages.map(({ name, port }) => ({ name, url: `http://${master}:${port}/` })));
