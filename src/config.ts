/** howdah.json in the data folder: what an operator may set. Every field has a default, so the file need not be there. */
import { existsSync, readFileSync } from "node:fs";
import { z } from "zod";
import { calm } from "./market/spot.ts";
import type { ProviderName } from "./running.ts";
import { defaultLimits } from "./s3/admission.ts";

const schema = z.strictObject({
  /** Where to listen; 0 takes a free port at first and keeps it from then on. */
  port: z.int().min(0).max(65535).default(0),
  region: z.string().default("us-east-1"),
  /** How nodes are kept apart: the best that the host allows where it is not set. */
  isolation: z.enum(["view", "plain"]).optional(),
  /** What nodes' volumes are: folders of the host's disk, or filesystems of their sizes, by loop devices, which takes root (docs/volumes.md). Of clusters that are created from then on. */
  volumes: z.enum(["folders", "loop"]).default("folders"),
  /**
   * How the JVMs of steps, commands and YARN containers compile. `quick`: by the first compiler alone, which takes half of what a small job costs, and makes a
   * long one slower. Of clusters that are created from then on; daemons are quick in any case.
   */
  jvm: z.enum(["full", "quick"]).default("full"),
  /** What becomes of a release label that is not locked here: refused, or replaced by the nearest that is, with a warning. */
  releases: z
    .strictObject({
      substitute: z.boolean().default(false),
      /** An application that is not in the release: the cluster is refused, or made without it, with a warning. */
      missingApplications: z.enum(["refuse", "warn"]).default("refuse"),
    })
    .prefault({}),
  /** How much is let in at once (docs/wire.md). */
  limits: z
    .strictObject({
      connections: z.int().min(1).default(defaultLimits.connections),
      s3Requests: z.int().min(1).default(defaultLimits.s3Requests),
      apiRequests: z.int().min(1).default(defaultLimits.apiRequests),
    })
    .prefault({}),
  /** How often trails deliver (docs/audit.md). */
  cloudTrail: z.strictObject({ deliverEverySeconds: z.int().min(1).default(300) }).prefault({}),
  /** How long a core or task node in use may be without an answer until it counts as lost, and is replaced (docs/failures.md). */
  silentNodeSeconds: z.int().min(10).max(86_400).default(300),
  /** How long a core or task node in use may be unhealthy until it is replaced, as on EMR (docs/failures.md). */
  unhealthyNodeMinutes: z.int().min(1).max(10_080).default(45),
  /** The spot market (docs/spot.md). */
  spot: z
    .strictObject({
      /** Another has other prices. */
      seed: z.int().default(calm.seed),
      /** Of spot, as a share of that on demand. */
      price: z.number().min(0.01).max(1).default(calm.price),
      /** By what share of themselves prices move, and capacity shrinks. */
      moves: z.number().min(0).max(1).default(calm.moves),
      /** How long a price stays. */
      changeMinutes: z.int().min(1).max(10_080).default(calm.changeMinutes),
      /** Instances in each zone, by type; without end where a type is not named. */
      capacity: z.record(z.string(), z.int().min(0)).default(calm.capacity),
      /** Whether instances are taken back by price and capacity. */
      interruptions: z.boolean().default(calm.interruptions),
      /** From the notice that an instance is taken back to its end: EC2's two minutes. */
      noticeSeconds: z.int().min(5).max(3600).default(calm.noticeSeconds),
    })
    .prefault({}),
  /** How long clusters that have ended are shown: two months, as EMR's are. Then they are forgotten, with their steps and events (docs/limits.md). */
  keepEndedClustersDays: z.int().min(1).max(36_500).default(61),
  /** An S3 endpoint to use in place of the embedded one. */
  s3: z
    .strictObject({ endpoint: z.url(), accessKeyId: z.string(), secretAccessKey: z.string(), region: z.string().default("us-east-1") })
    .optional(),
});

export type Config = z.infer<typeof schema>;

/** Throws, naming the field, where the file is not what it should be, or says what has no effect with nodes of this provider. */
export function readConfig(path: string, provider: ProviderName = "local"): Config {
  const text = existsSync(path) ? readFileSync(path, "utf8") : "{}";
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new Error(`${path} is not JSON: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
  const parsed = schema.safeParse(json);
  if (!parsed.success) throw new Error(`${path}:\n${z.prettifyError(parsed.error)}`);
  const idle = provider === "simulated" ? withoutEffect(json as z.input<typeof schema>) : [];
  if (idle.length > 0) throw new Error(`${path} says what has no effect with simulated nodes. Leave it out:\n${idle.join("\n")}`);
  return parsed.data;
}

/** Where nodes are simulated: the fields that are there, and why they do nothing. */
function withoutEffect(given: z.input<typeof schema>): string[] {
  const { isolation, jvm, volumes, s3, cloudTrail, limits, silentNodeSeconds } = given;
  const noServer = "there is no S3 server but one that the file names as s3";
  return [
    isolation !== undefined && "isolation: nothing runs on them that could be kept apart",
    jvm !== undefined && "jvm: no JVM runs on them",
    volumes !== undefined && "volumes: nothing is on their disks",
    silentNodeSeconds !== undefined && "silentNodeSeconds: they always answer",
    !s3 && cloudTrail?.deliverEverySeconds !== undefined && `cloudTrail.deliverEverySeconds: ${noServer}`,
    !s3 && limits?.s3Requests !== undefined && `limits.s3Requests: ${noServer}`,
  ].filter((line) => line !== false);
}
