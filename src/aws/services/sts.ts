/** STS. */
import * as sts from "@aws-sdk/client-sts";
import constraints from "../constraints/sts.json" with { type: "json" };
import { type Constraints, readModule, type Service } from "../operations.ts";

export type { sts };

export const stsService: Service = {
  signingName: "sts",
  protocol: "awsQuery",
  target: "",
  version: "2011-06-15",
  namespace: "https://sts.amazonaws.com/doc/2011-06-15/",
  constraints: constraints.structures as Constraints,
  ...readModule(sts),
};
