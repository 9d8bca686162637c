/**
 * GetClusterSessionCredentials: a user name and a password for a runtime role, for an hour. The endpoint that takes them is that of the master's
 * credentials, http://MASTER:8179/credentials, which answers with the role's temporary credentials.
 */
import type { GetClusterSessionCredentialsInput } from "@aws-sdk/client-emr";
import { plainSession } from "../../access/session.ts";
import { validationException } from "../../aws/errors.ts";
import { insertSession } from "../../store/access-keys.ts";
import { findEntityByArn } from "../../store/iam-entities.ts";
import type { EmrContext, EmrRequest } from "./context.ts";
import { readExecutionRole } from "./execution-role.ts";
import { theLivingCluster } from "./lookup.ts";

const lifeMs = 3600_000;

export async function GetClusterSessionCredentials(
  { store, ids }: EmrContext,
  input: GetClusterSessionCredentialsInput,
  request: EmrRequest,
) {
  if (!input.ExecutionRoleArn)
    throw validationException("ExecutionRoleArn is needed: there is no trusted identity propagation in Howdah that could stand for it.");
  return store.transaction(async (tx) => {
    const cluster = await theLivingCluster(tx.db, request, input.ClusterId);
    const { executionRole } = await readExecutionRole(tx.db, cluster, input.ExecutionRoleArn, "ExecutionRoleArn", request);
    const role = (await findEntityByArn(tx.db, executionRole!.arn))!;
    const { userName, sessionName } = request.principal;
    const session = plainSession(userName ?? sessionName ?? "root", { path: role.path, name: role.name }, tx.now);
    const key = await insertSession(tx, ids, {
      accountId: role.account_id,
      ownerId: role.id,
      session: { ...session, sourceIdentity: executionRole!.sourceIdentity },
      expiresAt: tx.now + lifeMs,
      clusterId: cluster.id,
    });
    return {
      Credentials: { UsernamePassword: { Username: key.access_key_id, Password: key.secret_access_key } },
      ExpiresAt: new Date(key.expires_at!),
    };
  });
}
