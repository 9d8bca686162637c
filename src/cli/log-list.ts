/** What a cluster has logs of, for people and for programs. */
import type { ClusterRow } from "../store/clusters.ts";
import { stepState, stepsOf } from "../store/steps.ts";
import type { Db } from "../store/store.ts";
import type { NodeLog } from "./log-selection.ts";
import { paintState } from "./status-text.ts";
import { columns, paint, plural, printJson, size } from "./terminal.ts";

export async function listLogs(db: Db, cluster: ClusterRow, files: NodeLog[], json: boolean): Promise<void> {
  if (json) {
    const shown = files.map(({ node, kind, of, name, path, bytes }) => ({
      instanceId: node.id,
      role: node.role,
      kind,
      of,
      name,
      path,
      bytes,
    }));
    printJson({ id: cluster.id, files: shown });
    return;
  }
  const group = (kind: NodeLog["kind"]) =>
    Map.groupBy(
      files.filter((file) => file.kind === kind),
      ({ of }) => of,
    );
  const heading = (title: string, how: string) => `${paint("bold", title)}  ${paint("dim", `howdah logs ${cluster.id} ${how}`)}`;
  const names = (logs: NodeLog[] | undefined) => logs?.map(({ name, bytes }) => `${name} ${size(bytes)}`).join(", ") ?? "nothing yet";
  const places = (logs: NodeLog[]) =>
    [...Map.groupBy(logs, ({ place }) => place)]
      .map(([place, own]) => `${place} ${size(own.reduce((sum, { bytes }) => sum + bytes, 0))}`)
      .join(", ");

  const lines: string[] = [];
  const steps = await stepsOf(db, cluster.id);
  const written = group("step");
  if (steps.length > 0)
    lines.push(
      heading("Steps", "STEP [-f]"),
      ...columns(
        steps.map((step) => [step.id, paintState(stepState(step)), step.spec.name, names(written.get(step.id))]),
        "  ",
      ),
    );
  const applications = group("application");
  if (applications.size > 0)
    lines.push(
      heading("Applications", "--application ID"),
      ...columns(
        [...applications].map(([id, logs]) => [
          id,
          plural(new Set(logs.map(({ name }) => name.split("/")[0])).size, "container"),
          places(logs),
        ]),
        "  ",
      ),
    );
  const bootstrap = group("bootstrap-action");
  if (bootstrap.size > 0)
    lines.push(
      heading("Bootstrap actions", "--bootstrap-action N"),
      ...columns(
        [...bootstrap].map(([n, logs]) => [n, cluster.spec.bootstrapActions[Number(n) - 1]?.name ?? "", places(logs)]),
        "  ",
      ),
    );
  const daemons = group("daemon");
  if (daemons.size > 0)
    lines.push(
      heading("Daemons", "--daemon NAME [-f]"),
      ...columns(
        [...daemons].map(([name, logs]) => [name, places(logs)]),
        "  ",
      ),
    );
  console.log(lines.length > 0 ? lines.join("\n") : `${cluster.id} has no logs yet.`);
}
