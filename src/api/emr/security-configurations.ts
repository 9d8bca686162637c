/** CreateSecurityConfiguration, DescribeSecurityConfiguration, ListSecurityConfigurations, DeleteSecurityConfiguration; and which one a cluster gets. */
import type {
  CreateSecurityConfigurationInput,
  DeleteSecurityConfigurationInput,
  DescribeSecurityConfigurationInput,
  ListSecurityConfigurationsInput,
} from "@aws-sdk/client-emr";
import { invalidRequest, validationException } from "../../aws/errors.ts";
import type { ClusterSpec } from "../../store/clusters.ts";
import { assumableRole, type OfCluster } from "../../store/runtime-roles.ts";
import {
  deleteSecurityConfiguration,
  findSecurityConfiguration,
  insertSecurityConfiguration,
  listSecurityConfigurations,
} from "../../store/security-configurations.ts";
import type { Db } from "../../store/store.ts";
import type { EmrContext, EmrRequest } from "./context.ts";
import { openList } from "./paging.ts";
import { partsNotHonoured, partsWithoutEffect } from "./security-configuration-parts.ts";
import { readSecurityConfiguration } from "./security-configuration-shape.ts";

const pageSize = 50;

/** Everything that EMR's guide has may be kept; what clusters cannot have yet is refused by RunJobFlow. */
export async function CreateSecurityConfiguration({ store }: EmrContext, input: CreateSecurityConfigurationInput, request: EmrRequest) {
  const { Name = "", SecurityConfiguration = "" } = input;
  if (Name === "") throw invalidRequest("Name must not be empty.");
  const read = readSecurityConfiguration(SecurityConfiguration);
  if ("problems" in read) throw invalidRequest(`SecurityConfiguration is not valid: ${read.problems.join("; ")}.`);
  return store.transaction(async (tx) => {
    if (await findSecurityConfiguration(tx.db, request, Name))
      throw invalidRequest(`Security configuration with name '${Name}' already exists.`);
    await insertSecurityConfiguration(tx, request, Name, SecurityConfiguration);
    return { Name, CreationDateTime: new Date(tx.now) };
  });
}

export async function DescribeSecurityConfiguration({ store }: EmrContext, input: DescribeSecurityConfigurationInput, request: EmrRequest) {
  const row = await findSecurityConfiguration(store.db, request, input.Name ?? "");
  if (!row) throw invalidRequest(missing(input.Name));
  return { Name: row.name, SecurityConfiguration: row.configuration, CreationDateTime: new Date(row.created_at) };
}

export async function ListSecurityConfigurations({ store }: EmrContext, input: ListSecurityConfigurationsInput, request: EmrRequest) {
  const list = openList("ListSecurityConfigurations", request, {}, ["string"], input.Marker);
  const rows = await listSecurityConfigurations(store.db, request, list.after?.[0], pageSize + 1);
  const { items, Marker } = list.page(rows, pageSize, ({ name }) => [name]);
  return { SecurityConfigurations: items.map((row) => ({ Name: row.name, CreationDateTime: new Date(row.created_at) })), Marker };
}

/** Clusters that have it keep what they have. */
export async function DeleteSecurityConfiguration({ store }: EmrContext, input: DeleteSecurityConfigurationInput, request: EmrRequest) {
  return store.transaction(async (tx) => {
    if (!(await deleteSecurityConfiguration(tx, request, input.Name ?? ""))) throw invalidRequest(missing(input.Name));
    return {};
  });
}

/** For RunJobFlow. Throws ValidationException for a name that is not there, and for each part that clusters do not honour yet. */
export async function securityConfigurationFor(
  db: Db,
  request: EmrRequest,
  name: string | undefined,
): Promise<Pick<ClusterSpec, "securityConfiguration" | "runtimeRoles" | "emrfsRoles" | "needsMetadataToken"> & { warnings: string[] }> {
  if (name === undefined) return { warnings: [] };
  const row = await findSecurityConfiguration(db, request, name);
  if (!row) throw validationException(missing(name));
  const read = readSecurityConfiguration(row.configuration);
  if ("problems" in read) throw validationException(`Security configuration '${name}' is not valid: ${read.problems.join("; ")}.`);
  const lacking = partsNotHonoured(read.configuration);
  if (lacking.length > 0)
    throw validationException(`SecurityConfiguration '${name}' asks for what clusters do not have: ${lacking.join("; ")}.`);
  const iam = read.configuration.AuthorizationConfiguration?.IAMConfiguration;
  const propagateSourceIdentity = iam?.ApplicationScopedIAMRoleConfiguration?.PropagateSourceIdentity ?? false;
  const imds = read.configuration.InstanceMetadataServiceConfiguration;
  const mappings = read.configuration.AuthorizationConfiguration?.EmrFsConfiguration?.RoleMappings;
  const emrfsRoles = mappings?.map(({ Role, IdentifierType, Identifiers }) => ({
    role: Role,
    type: IdentifierType,
    identifiers: Identifiers,
  }));
  return {
    securityConfiguration: { name, text: row.configuration },
    ...(iam?.EnableApplicationScopedIAMRole ? { runtimeRoles: { propagateSourceIdentity } } : {}),
    ...(emrfsRoles ? { emrfsRoles } : {}),
    ...(imds?.MinimumInstanceMetadataServiceVersion === 2 ? { needsMetadataToken: true as const } : {}),
    warnings: partsWithoutEffect(read.configuration),
  };
}

/** Roles that EMRFS of this cluster cannot take as things are. It is no fault: roles and trust policies may come later, and each request looks. */
export async function emrfsRoleWarnings(db: Db, cluster: OfCluster): Promise<string[]> {
  const warnings = (cluster.spec.emrfsRoles ?? []).map(async ({ role, type, identifiers }) => {
    const found = await assumableRole(db, cluster, role, null);
    return "problem" in found
      ? [`EMRFS denies requests of ${type} ${identifiers.join(", ")} until its role can be taken: ${found.problem}`]
      : [];
  });
  return (await Promise.all(warnings)).flat();
}

const missing = (name: string | undefined) => `Security configuration with name '${name ?? ""}' does not exist.`;
