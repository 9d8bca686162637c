/** Which actions a request of each service asks for, by signing name. S3's are the front door's (src/s3/). */
import type { ActionsOf } from "./asked.ts";
import { cloudtrailActions } from "./cloudtrail.ts";
import { ec2Actions } from "./ec2.ts";
import { emrActions } from "./emr.ts";
import { glueActions } from "./glue.ts";
import { iamActions } from "./iam.ts";
import { stsActions } from "./sts.ts";

/** A service that is not here answers nothing (src/access/authorise.ts). */
export const actionsOf: Readonly<Record<string, ActionsOf>> = {
  elasticmapreduce: emrActions,
  iam: iamActions,
  sts: stsActions,
  cloudtrail: cloudtrailActions,
  ec2: ec2Actions,
  glue: glueActions,
};
