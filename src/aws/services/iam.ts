/** IAM. */
import * as iam from "@aws-sdk/client-iam";
import constraints from "../constraints/iam.json" with { type: "json" };
import { type Constraints, readModule, type Service } from "../operations.ts";

export type { iam };

export const iamService: Service = {
  signingName: "iam",
  protocol: "awsQuery",
  target: "",
  version: "2010-05-08",
  namespace: "https://iam.amazonaws.com/doc/2010-05-08/",
  constraints: constraints.structures as Constraints,
  ...readModule(iam),
};
