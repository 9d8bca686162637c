/** The services that Howdah answers for, by signing name; each is loaded when the first request for it comes (S3 has a door of its own). */
import { emrService } from "../aws/services/emr.ts";
import { stsService } from "../aws/services/sts.ts";
import type { CloudTrailContext } from "./cloudtrail/context.ts";
import type { Ec2Context } from "./ec2/context.ts";
import type { EmrContext } from "./emr/context.ts";
import { emrHandlers } from "./emr/handlers.ts";
import type { GlueContext } from "./glue/context.ts";
import type { Loaded, Services } from "./pipeline.ts";
import { stsHandlers } from "./sts/handlers.ts";

export function createServices(context: EmrContext & Ec2Context & CloudTrailContext & GlueContext): Services {
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
    glue: once(async () => {
      const { glueHandlers, instead } = await import("./glue/handlers.ts");
      return { service: (await import("../aws/services/glue.ts")).glueService, handlers: glueHandlers(context), instead };
    }),
  };
}

function once(load: () => Promise<Loaded>): () => Promise<Loaded> {
  let loaded: Promise<Loaded> | undefined;
  return () => (loaded ??= load());
}
