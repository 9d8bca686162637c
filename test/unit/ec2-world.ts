/** The control plane's harness with EC2's API over HTTP: clients of the SDK of any account and region. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { EC2Client } from "@aws-sdk/client-ec2";
import { ec2Handlers } from "../../src/api/ec2/handlers.ts";
import { overHttp } from "../../src/api/http.ts";
import { createPipeline } from "../../src/api/pipeline.ts";
import { ec2Service } from "../../src/aws/services/ec2.ts";
import { harness } from "./control-plane-harness.ts";
import { adminKey, authorise } from "./keys.ts";

export async function ec2World() {
  const h = await harness();
  const faults: unknown[] = [];
  const pipeline = overHttp(
    createPipeline({
      services: {
        ec2: async () => ({ service: ec2Service, handlers: ec2Handlers({ store: h.store, ids: h.context.ids, market: h.context.market }) }),
      },
      // An access key of each account, by the account's number.
      keys: (id) => ({ ...adminKey, accessKeyId: id, secretAccessKey: "s", principal: { ...adminKey.principal, accountId: id } }),
      authorise,
      now: () => new Date(),
      log: ({ fault }) => fault && faults.push(fault),
    }),
  );
  const server = createServer({ keepAliveTimeout: 120_000 }, pipeline).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const clients: EC2Client[] = [];
  const client = (accountId = h.request.accountId, region = h.request.region) => {
    const made = new EC2Client({ endpoint, region, credentials: { accessKeyId: accountId, secretAccessKey: "s" }, maxAttempts: 1 });
    clients.push(made);
    return made;
  };
  return {
    h,
    endpoint,
    faults,
    client,
    ec2: client(),
    async close() {
      for (const made of clients) made.destroy();
      server.close();
      server.closeAllConnections();
      await h.store.close();
    },
  };
}

export type Ec2World = Awaited<ReturnType<typeof ec2World>>;
