/** EC2, as far as it stands behind clusters. Its module takes 250 ms and 70 MB to load, so that nobody but src/api/services.ts may import this file, when it is needed. */
import * as ec2 from "@aws-sdk/client-ec2";
import constraints from "../constraints/ec2.json" with { type: "json" };
import { type Constraints, readModule, type Service } from "../operations.ts";

export type { ec2 };

export const ec2Service: Service = {
  signingName: "ec2",
  protocol: "ec2Query",
  target: "",
  version: "2016-11-15",
  namespace: "http://ec2.amazonaws.com/doc/2016-11-15/",
  constraints: constraints.structures as Constraints,
  ...readModule(ec2),
};
