/** Airflow: a DAG of EMR's operators and sensors, run whole, with nothing but the connection that its documentation describes. */
import assert from "node:assert/strict";
import { cpSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { releaseLabel } from "../integration/howdah.ts";
import { bucket, ran, type World } from "./world.ts";

const dag = "airflow_dag.py";

/** Runs the DAG in an Airflow of its own. The state of each task. */
export async function runDag(world: World, home: string): Promise<Record<string, string>> {
  const airflowHome = join(world.files, "airflow");
  mkdirSync(join(airflowHome, "dags"), { recursive: true });
  cpSync(join(import.meta.dirname, dag), join(airflowHome, "dags", dag));
  const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_ENDPOINT_URL, AWS_REGION } = world.howdah.clientEnv;
  const env = {
    PATH: `${join(home, "bin")}:${world.env.PATH}`,
    HOME: world.files,
    BUCKET: bucket,
    RELEASE_LABEL: releaseLabel,
    AIRFLOW_HOME: airflowHome,
    AIRFLOW__CORE__LOAD_EXAMPLES: "False",
    AIRFLOW_CONN_AWS_DEFAULT: JSON.stringify({
      conn_type: "aws",
      login: AWS_ACCESS_KEY_ID,
      password: AWS_SECRET_ACCESS_KEY,
      extra: { region_name: AWS_REGION, endpoint_url: AWS_ENDPOINT_URL },
    }),
  };
  const migrated = await ran([join(home, "bin", "airflow"), "db", "migrate"], env);
  assert.equal(migrated.status, 0, migrated.out + migrated.err);
  const { status, out, err } = await ran([join(home, "bin", "python3"), join(airflowHome, "dags", dag)], env);
  assert.equal(status, 0, `${out}\n${err}`);
  return JSON.parse(out.trim().split("\n").at(-1) ?? "");
}
