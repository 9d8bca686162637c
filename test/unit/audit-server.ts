/** A process that answers API calls and records them, to be killed: prints its port; `argv[2]` is the audit trail's file. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { overHttp } from "../../src/api/http.ts";
import { createPipeline } from "../../src/api/pipeline.ts";
import { emrService } from "../../src/aws/services/emr.ts";
import { openAudit } from "../../src/observe/audit.ts";
import { writeByTurns } from "../../src/observe/keep.ts";
import { auditEvent } from "../../src/observe/record.ts";
import { adminKey, authorise } from "./keys.ts";

const writeDown = writeByTurns(openAudit(process.argv[2]!));
const pipeline = overHttp(
  createPipeline({
    services: { elasticmapreduce: async () => ({ service: emrService, handlers: { AddTags: () => ({}) } }) },
    keys: () => adminKey,
    authorise,
    now: () => new Date(),
    audit: (call) => writeDown(auditEvent(call)),
    log: () => {},
  }),
);
const server = createServer(pipeline).listen(0, "127.0.0.1", () => console.log((server.address() as AddressInfo).port));
