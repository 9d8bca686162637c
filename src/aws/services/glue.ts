/** Glue, as far as it is the catalog. */
import * as glue from "@aws-sdk/client-glue";
import constraints from "../constraints/glue.json" with { type: "json" };
import { type Constraints, readModule, type Service } from "../operations.ts";

export type { glue };

export const glueService: Service = {
  signingName: "glue",
  protocol: "awsJson1_1",
  target: "AWSGlue",
  version: "2017-03-31",
  namespace: "",
  constraints: constraints.structures as Constraints,
  ...readModule(glue),
};
