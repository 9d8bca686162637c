/**
 * AddJobFlowSteps, CancelSteps, ListSteps, DescribeStep. Nothing runs here: a request writes what is wished, and answers.
 *
 * What happens next to a step that is added:
 * 1. It is a row, PENDING, and where it can begin now, the `wake` that is committed with it has the steps' reconciler look at its cluster (src/reconcile/steps.ts).
 * 2. Once the cluster is ready, the reconciler takes PENDING steps in their order, as many as StepConcurrencyLevel allows, and writes RUNNING. That
 *    makes a new manifest of the master (src/reconcile/manifest.ts), with an order of the step (src/engines/step-command.ts says which command it is).
 * 3. The master's agent, which waits for new manifests, fetches the step's files, runs it once (src/agent/steps.ts, run-once.ts), and reports its end.
 * 4. The report wakes the reconciler again. It writes COMPLETED, FAILED or CANCELLED with the reason, does what ActionOnFailure says, and starts the next.
 *
 * A cancellation is a wish on the row as well: the reconciler ends a step that waits, the agent one that runs. What users see is `stepState` of the
 * row (src/store/steps.ts), so that a wish shows at once as CANCEL_PENDING.
 */
import type {
  AddJobFlowStepsInput,
  CancelStepsInfo,
  CancelStepsInput,
  DescribeStepInput,
  ListStepsInput,
  StepConfig,
} from "@aws-sdk/client-emr";
import { invalidRequest, validationException } from "../../aws/errors.ts";
import { absentApplication } from "../../engines/absent.ts";
import { checkStep, stepWarning } from "../../engines/step-command.ts";
import { addEvent, addWarnings } from "../../store/events.ts";
import {
  countActiveSteps,
  findSteps,
  insertSteps,
  pageOfSteps,
  setStepCancellation,
  type StepRow,
  type StepSpec,
  stepState,
} from "../../store/steps.ts";
import type { Db } from "../../store/store.ts";
import type { EmrContext, EmrRequest } from "./context.ts";
import { readExecutionRole } from "./execution-role.ts";
import { theCluster, theJobFlow, theLivingCluster } from "./lookup.ts";
import { openList } from "./paging.ts";
import { stepShape, stepSummary } from "./step-shapes.ts";

/** PENDING, RUNNING and CANCEL_PENDING together; the lifetime of a cluster has no limit. */
const mostActiveSteps = 256;
const mostCancelled = 256;
const mostConcurrentSteps = 256;
const pageSize = 50;
const mostListedById = 10;
/** HadoopJarStep's texts together. */
const longestJarStep = 10_240;

/** All steps of a request are added, in their order, or none. Throws ValidationException for what could never run. */
export async function AddJobFlowSteps({ store, ids }: EmrContext, input: AddJobFlowStepsInput, request: EmrRequest) {
  return store.transaction(async (tx) => {
    const cluster = await theLivingCluster(tx.db, request, input.JobFlowId, theJobFlow);
    const specs = readSteps(input.Steps ?? [], cluster.step_concurrency_level);
    if (specs.length === 0) throw validationException("Steps must hold at least one step.");
    const { active, running } = await countActiveSteps(tx.db, cluster.id);
    if (active + specs.length > mostActiveSteps)
      throw validationException(`Maximum number of active steps (${mostActiveSteps}) for the job flow ${cluster.id} would be exceeded.`);
    const executionRole = await readExecutionRole(tx.db, cluster, input.ExecutionRoleArn, "ExecutionRoleArn", request);
    const steps = specs.map((spec) => ({ id: ids.step(), spec: { ...spec, ...executionRole } }));
    await insertSteps(tx, cluster.id, steps);
    await addWarnings(tx, cluster.id, stepWarnings(specs));
    // What makes room for it later, or the cluster ready, wakes the reconciler itself.
    if (cluster.phase === "ready" && running < cluster.step_concurrency_level) await tx.wake("steps", cluster.id);
    return { StepIds: steps.map(({ id }) => id) };
  });
}

/** Also used by RunJobFlow and ModifyCluster, each with its own error. */
export function readStepConcurrencyLevel(level: number, refusal = validationException): number {
  if (level < 1 || level > mostConcurrentSteps)
    throw refusal(`StepConcurrencyLevel must be from 1 to ${mostConcurrentSteps}, not ${level}.`);
  return level;
}

/** Also used by RunJobFlow, with the level that its cluster will have. Throws ValidationException for what could never run, and names the step. */
export function readSteps(configs: readonly StepConfig[], concurrency: number): StepSpec[] {
  if (configs.length > mostActiveSteps) throw validationException(`Steps: at most ${mostActiveSteps} in one request.`);
  return configs.map((config, index) => {
    const spec = readStep(config, `Steps[${index}]`);
    const absent = absentApplication(spec);
    if (absent) throw validationException(`Steps[${index}] (${spec.name}): ${absent}.`);
    if (concurrency > 1 && spec.actionOnFailure !== "CONTINUE")
      throw validationException(
        `Steps[${index}].ActionOnFailure: with a StepConcurrencyLevel above 1 only CONTINUE is allowed, not ${spec.actionOnFailure}.`,
      );
    return spec;
  });
}

/** `at`: where it stands in the request, for messages. */
function readStep(config: StepConfig, at: string): StepSpec {
  if (config.StepMonitoringConfiguration)
    throw validationException(
      `${at}.StepMonitoringConfiguration is not in Howdah yet: logs go to the cluster's LogUri. Leave the parameter out.`,
    );
  const hadoop = config.HadoopJarStep;
  const spec: StepSpec = {
    name: config.Name ?? "",
    actionOnFailure: config.ActionOnFailure ?? "TERMINATE_CLUSTER",
    jar: hadoop?.Jar ?? "",
    mainClass: hadoop?.MainClass || null,
    args: hadoop?.Args ?? [],
    properties: Object.fromEntries((hadoop?.Properties ?? []).map(({ Key, Value }) => [Key ?? "", Value ?? ""])),
  };
  const texts = [spec.jar, spec.mainClass ?? "", ...spec.args, ...Object.entries(spec.properties).flat()];
  const length = texts.reduce((sum, text) => sum + text.length, 0);
  if (length > longestJarStep)
    throw validationException(`${at}.HadoopJarStep: its texts have ${length} characters together, and may have ${longestJarStep}.`);
  const problem = checkStep(toRun(spec));
  if (problem) throw validationException(`${at} (${spec.name}): ${problem}`);
  return spec;
}

/** For checks of its command, before it has an id. */
const toRun = (spec: StepSpec) => ({ ...spec, id: "", mainClass: spec.mainClass ?? undefined });

/** What a user should know of steps that are accepted. */
export const stepWarnings = (specs: readonly StepSpec[]): string[] => specs.flatMap((spec) => stepWarning(toRun(spec)) ?? []);

/**
 * Answers for each step by itself. It may be repeated, and then only becomes stronger: a step that does not heed SIGTERM can still be killed.
 * A step that ends by itself before the signal reaches it ends as it does.
 */
export async function CancelSteps({ store }: EmrContext, input: CancelStepsInput, request: EmrRequest) {
  const asked = input.StepIds ?? [];
  if (asked.length === 0) throw validationException("StepIds must hold at least one step id.");
  if (asked.length > mostCancelled) throw validationException(`StepIds: at most ${mostCancelled} step ids in one request.`);
  return store.transaction(async (tx) => {
    const cluster = await theCluster(tx.db, request, input.ClusterId);
    const steps = new Map((await findSteps(tx.db, cluster.id, asked)).map((step) => [step.id, step]));
    const infos: CancelStepsInfo[] = [];
    /** Something was asked that was not asked before: the reconciler and the node have to look. */
    let isNews = false;
    for (const id of new Set(asked)) {
      const step = steps.get(id);
      const state = step && stepState(step);
      if (state !== "PENDING" && state !== "RUNNING" && state !== "CANCEL_PENDING") {
        const Reason = step ? `Cannot cancel step. It is already ${state}.` : `Step id '${id}' is not valid.`;
        infos.push({ StepId: id, Status: "FAILED", Reason });
        continue;
      }
      infos.push({ StepId: id, Status: "SUBMITTED" });
      // A weaker or the same wish changes nothing.
      const option = input.StepCancellationOption ?? "SEND_INTERRUPT";
      if (step?.cancel_option === "TERMINATE_PROCESS" || step?.cancel_option === option) continue;
      isNews = true;
      await setStepCancellation(tx, id, option);
      await addEvent(tx, cluster.id, "step", `${id} ${step?.spec.name}: cancellation (${option}) requested by ${request.principal.arn}`);
    }
    // What runs is ended by its node, what waits by the reconciler.
    if (isNews) await tx.manifestChanged(cluster.id);
    if (isNews) await tx.wake("steps", cluster.id);
    return { CancelStepsInfoList: infos };
  });
}

/** Newest first; with StepIds in their order, in which a step may stand twice. */
export async function ListSteps({ store }: EmrContext, input: ListStepsInput, request: EmrRequest) {
  const { Marker: marker, ...filters } = input;
  const cluster = await theCluster(store.db, request, filters.ClusterId);
  const { StepIds: ids, StepStates: states = [] } = filters;
  if (ids && filters.StepStates) throw invalidRequest("Cannot specify both StepIds and StepStates.");
  if (ids && ids.length > mostListedById) throw invalidRequest(`StepIds: at most ${mostListedById} step ids in one request.`);
  const list = openList("ListSteps", request, filters, ["number"], marker);
  if (ids?.length) {
    const found = new Map((await findSteps(store.db, cluster.id, ids)).map((step) => [step.id, step]));
    return { Steps: ids.map((id) => stepSummary(theStep(found.get(id), id))) };
  }
  const read = (db: Db) => pageOfSteps(db, cluster.id, states, list.after?.[0], pageSize + 1);
  // Of several states there is a query each; one query is of one moment by itself.
  const rows = await (states.length > 1 ? store.snapshot(read) : read(store.db));
  const { items, Marker } = list.page(rows, pageSize, ({ seq }) => [seq]);
  return { Steps: items.map(stepSummary), Marker };
}

/** Throws InvalidRequestException for a step that is not there, or another cluster's. */
export async function DescribeStep({ store }: EmrContext, input: DescribeStepInput, request: EmrRequest) {
  const cluster = await theCluster(store.db, request, input.ClusterId);
  const [step] = await findSteps(store.db, cluster.id, [input.StepId ?? ""]);
  return { Step: stepShape(theStep(step, input.StepId)) };
}

function theStep(step: StepRow | undefined, id = ""): StepRow {
  if (!step) throw invalidRequest(`Step id '${id}' is not valid.`);
  return step;
}
