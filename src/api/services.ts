/** The services that Howdah answers for, by signing name; each is loaded when the first request for it comes (S3 has a door of its own). */
import type { Service } from "../aws/operations.ts";
import { emrService } from "../aws/services/emr.ts";
import { stsService } from "../aws/services/sts.ts";
import type { CloudTrailContext } from "./cloudtrail/context.ts";
import type { EmrContext } from "./emr/context.ts";
import { emrHandlers } from "./emr/handlers.ts";
import type { AnyHandler, Services } from "./pipeline.ts";
import { stsHandlers } from "./sts/handlers.ts";

type Part = { service: Service; handlers: Partial<Record<string, AnyHandler>> };

export function createServices(context: EmrContext & CloudTrailContext): Services {
  return {
    elasticmapreduce: once(async () => ({ service: emrService, handlers: emrHandlers(context) })),
    sts: once(async () => ({ service: stsService, handlers: stsHandlers(context) })),
    iam: once(async () => ({
      service: (await import("../aws/services/iam.ts")).iamService,
      handlers: (await import("./iam/handlers.ts")).iamHandlers(context),
    })),
    cloudtrail: once(async () => ({
      service: (await import("../aws/services/cloudtrail.ts")).cloudtrailService,
      handlers: (await import("./cloudtrail/handlers.ts")).cloudTrailHandlers(context),
    })),
    ec2: once(async () => ({
      service: (await import("../aws/services/ec2.ts")).ec2Service,
      handlers: (await import("./ec2/handlers.ts")).ec2Handlers(context),
    })),
  };
}

function once(load: () => Promise<Part>): () => Promise<Part> {
  let loaded: Promise<Part> | undefined;
  return () => (loaded ??= load());
}
