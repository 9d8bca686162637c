/** EMR. Source: Service Authorization Reference, "Amazon Elastic MapReduce", and the EMR Management Guide on tags and PassRole. */
import { defaultInstanceProfile, defaultServiceRole } from "../../store/accounts.ts";
import {
  type Asked,
  type Caller,
  type Input,
  list,
  passRole,
  requestTags,
  resourceTags,
  roleArn,
  tagKeys,
  text,
  textsOf,
} from "./asked.ts";

const emr = "elasticmapreduce.amazonaws.com";

/**
 * The resources are those that the input names, by the members that EMR's operations have for them. What is here is asked for otherwise:
 * `new` is a cluster that is not there yet, `none` no resource at all, though a member looks like one.
 */
const exceptions: Record<string, "new" | "none"> = {
  RunJobFlow: "new",
  // Without ids it is about all clusters.
  DescribeJobFlows: "new",
  ListStudioSessionMappings: "none",
  ListNotebookExecutions: "none",
};

export function emrActions(operation: string, input: Input, caller: Caller): Asked[] {
  const action = `elasticmapreduce:${operation}`;
  const tags = requestTags(input.Tags, "elasticmapreduce");
  const keys: Asked["keys"] = [
    ...tags,
    ["elasticmapreduce:ExecutionRoleArn", text(input.ExecutionRoleArn) ?? text(input.StepExecutionRoleArn)],
  ];
  if (operation === "RemoveTags") keys.push(tagKeys(textsOf(input.TagKeys)));
  const resources = resourcesOf(operation, input, caller);
  const asked = resources.map((resource): Asked => ({ action, resource: resource.arn, keys: [...keys, ...resource.keys] }));
  // A cluster that is created with tags is tagged, too.
  if (operation === "RunJobFlow" && tags.length > 0) asked.push({ action: "elasticmapreduce:AddTags", resource: asked[0]!.resource, keys });
  return [...asked, ...passedRoles(operation, input, caller).map(([role, service]) => passRole(role, service, tags))];
}

/** `keys`: the tags that it has. */
interface Resource {
  arn: string;
  keys: Asked["keys"];
}

function resourcesOf(operation: string, input: Input, caller: Caller): Resource[] {
  const { principal, region, facts } = caller;
  const { accountId } = principal;
  const arn = (kind: string, id: string) => `arn:aws:elasticmapreduce:${region}:${accountId}:${kind}/${id}`;
  const of = (kind: string, id: string): Resource => ({ arn: arn(kind, id), keys: [] });
  const cluster = (id: string): Resource => ({
    arn: arn("cluster", id),
    keys: resourceTags(facts.clusterTags(accountId, region, id), "elasticmapreduce"),
  });
  const exception = exceptions[operation];
  if (exception === "none") return [{ arn: "*", keys: [] }];

  const found: Resource[] = [];
  for (const id of [text(input.ClusterId), text(input.JobFlowId), ...textsOf(input.JobFlowIds)]) if (id) found.push(cluster(id));
  const named = text(input.ResourceId);
  if (named) {
    const kind = kinds.find(([prefix]) => named.startsWith(prefix))?.[1];
    found.push(kind === undefined ? cluster(named) : of(kind, named));
  }
  const [studio, execution, editor] = [text(input.StudioId), text(input.NotebookExecutionId), text(input.EditorId)];
  if (studio) found.push(of("studio", studio));
  if (execution) found.push(of("notebook-execution", execution));
  if (editor) found.push(of("editor", editor));
  const engine = text((input.ExecutionEngine as Input | undefined)?.Id);
  if (engine) found.push(cluster(engine));
  const target = text(input.TargetResourceArn);
  if (target) found.push({ arn: target, keys: [] });
  if (operation === "ModifyInstanceGroups") {
    // It may name groups alone: their clusters are what is changed.
    for (const group of list(input.InstanceGroups)) {
      const owner = facts.clusterOfGroup(text((group as Input).InstanceGroupId) ?? "");
      if (owner !== undefined && owner !== input.ClusterId) found.push(cluster(owner));
    }
    if (found.length === 0) found.push(of("cluster", "*"));
  }
  if (found.length > 0) return found;
  return [exception === "new" ? of("cluster", "*") : { arn: "*", keys: [] }];
}

/** Of the ids that AddTags takes. A cluster's begin with `j-`. */
const kinds = [
  ["es-", "studio"],
  ["ex-", "notebook-execution"],
  ["e-", "editor"],
] as const;

/** The roles that a request gives to a service, by ARN. Those that RunJobFlow takes where none is named are given, too. */
function passedRoles(operation: string, input: Input, caller: Caller): [role: string, service: string][] {
  const named: [string | undefined, string][] = [
    [text(input.ServiceRole) ?? (operation === "RunJobFlow" ? defaultServiceRole : undefined), emr],
    [text(input.UserRole), emr],
    [text(input.AutoScalingRole), "application-autoscaling.amazonaws.com"],
  ];
  const passed = named.flatMap(([role, service]) => (role === undefined ? [] : [[roleArn(role, caller), service] as [string, string]]));
  if (operation !== "RunJobFlow") return passed;
  const profile = text(input.JobFlowRole) ?? defaultInstanceProfile;
  return [...passed, [caller.facts.roleOfProfile(caller.principal.accountId, profile), "ec2.amazonaws.com"]];
}
