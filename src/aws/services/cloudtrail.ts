/** CloudTrail. */
import * as cloudtrail from "@aws-sdk/client-cloudtrail";
import constraints from "../constraints/cloudtrail.json" with { type: "json" };
import { type Constraints, readModule, type Service } from "../operations.ts";

export type { cloudtrail };

export const cloudtrailService: Service = {
  signingName: "cloudtrail",
  protocol: "awsJson1_1",
  target: "CloudTrail_20131101",
  version: "2013-11-01",
  namespace: "",
  constraints: constraints.structures as Constraints,
  ...readModule(cloudtrail),
};
