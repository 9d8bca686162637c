/** EMR. */
import * as emr from "@aws-sdk/client-emr";
import constraints from "../constraints/emr.json" with { type: "json" };
import { type Constraints, readModule, type Service } from "../operations.ts";

export type { emr };

export const emrService: Service = {
  signingName: "elasticmapreduce",
  protocol: "awsJson1_1",
  target: "ElasticMapReduce",
  version: "2009-03-31",
  namespace: "",
  constraints: constraints.structures as Constraints,
  ...readModule(emr),
};
