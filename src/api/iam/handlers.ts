/** IAM's operations that are built. All others of the model answer that they are not there yet (src/api/pipeline.ts). */
import { AwsError } from "../../aws/errors.ts";
import type { Handlers } from "../../aws/operations.ts";
import type { iam } from "../../aws/services/iam.ts";
import { bindQuery, type Operations } from "../bind.ts";
import { absentOperations } from "./absent.ts";
import { accessKeyOperations } from "./access-keys.ts";
import { accountOperations } from "./account.ts";
import type { IamContext } from "./context.ts";
import { entityPolicyOperations } from "./entity-policies.ts";
import { groupOperations } from "./groups.ts";
import { instanceProfileOperations } from "./instance-profiles.ts";
import { policyOperations } from "./policies.ts";
import { roleOperations } from "./roles.ts";
import { serviceLinkedRoleOperations } from "./service-linked-roles.ts";
import { simulationOperations } from "./simulate.ts";
import { tagOperations } from "./tags.ts";
import { userOperations } from "./users.ts";

const operations: Operations<typeof iam, IamContext> = {
  ...userOperations,
  ...accessKeyOperations,
  ...groupOperations,
  ...roleOperations,
  ...instanceProfileOperations,
  ...policyOperations,
  ...entityPolicyOperations,
  ...tagOperations,
  ...serviceLinkedRoleOperations,
  ...accountOperations,
  ...simulationOperations,
  ...absentOperations,
};

export const iamHandlers = (context: IamContext): Handlers<typeof iam> =>
  bindQuery<typeof iam, IamContext>(context, operations, ({ principal }) => {
    // "You cannot call any IAM API with them unless MFA is in the request": of GetSessionToken's credentials.
    if (principal.type === "IAMUser" && principal.sessionIssuedAt !== undefined)
      throw new AwsError(
        "InvalidClientTokenId",
        "Credentials of GetSessionToken cannot call IAM. Assume a role, or use a user's own key.",
        403,
      );
  });
