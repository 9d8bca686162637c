/** The API over HTTP with a real store in a temporary folder, and AWS's own clients for it. */
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EMRClient } from "@aws-sdk/client-emr";
import { IAMClient } from "@aws-sdk/client-iam";
import { STSClient } from "@aws-sdk/client-sts";
import { createSpotMarket } from "../../src/market/spot.ts";
import { createAuthoriser } from "../../src/access/authorise.ts";
import { type AccessKey, openKeyLookup } from "../../src/access/keys.ts";
import { openPolicySource } from "../../src/access/policy-source.ts";
import { openResourceFacts } from "../../src/access/resource-facts.ts";
import { overHttp } from "../../src/api/http.ts";
import { createPipeline, type RequestRecord } from "../../src/api/pipeline.ts";
import { createServices } from "../../src/api/services.ts";
import { systemClock } from "../../src/clock.ts";
import type { AuditedCall } from "../../src/observe/record.ts";
import type { AccessKeyRow } from "../../src/store/access-keys.ts";
import { adminKey, createAccount } from "../../src/store/accounts.ts";
import { makeIds } from "../../src/store/ids.ts";
import { createKeyUse } from "../../src/store/key-use.ts";
import { openStore } from "../../src/store/store.ts";
import { memoryCatalogs } from "./glue-store.ts";
import { noTrails } from "./keys.ts";

export interface Credentials {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
}

export const credentialsOf = (key: AccessKeyRow): Credentials => ({
  accessKeyId: key.access_key_id,
  secretAccessKey: key.secret_access_key,
  ...(key.session_token === null ? {} : { sessionToken: key.session_token }),
});

/** What else a test wants to know of each request; faults are its own business then. */
export interface Watch {
  log(record: RequestRecord): void;
  audit(call: AuditedCall): void;
  /** A key that is not in the store. */
  key: AccessKey;
}

export async function startApi(watch?: Watch) {
  const folder = mkdtempSync(join(tmpdir(), "howdah-iam-"));
  const path = join(folder, "howdah.db");
  let ahead = 0;
  const now = () => Date.now() + ahead;
  const store = await openStore(path, { clock: { ...systemClock, now } });
  const ids = makeIds();
  const account = await store.transaction((tx) => createAccount(tx, ids, "default"));
  const [keys, policies, facts] = [openKeyLookup(path), openPolicySource(path), openResourceFacts(path)];
  const faults: unknown[] = [];
  const keyUsed = createKeyUse(store, (error) => faults.push(error));
  const services = createServices({
    ids,
    market: createSpotMarket(),
    releases: { substitute: false, missingApplications: "refuse" },
    ...noTrails,
    store,
    catalogs: memoryCatalogs(),
  });
  const pipeline = overHttp(
    createPipeline({
      services,
      keys: (id) => (id === watch?.key.accessKeyId ? watch.key : keys(id)),
      authorise: createAuthoriser(policies, facts),
      now: () => new Date(now()),
      audit: watch?.audit ?? ((call) => keyUsed({ accessKeyId: call.accessKeyId, service: call.service.signingName, region: call.region })),
      log: watch?.log ?? (({ fault }) => fault && faults.push(fault)),
    }),
  );
  const server = createServer({ keepAliveTimeout: 120_000 }, (request, response) => {
    // Clients set their clocks by it.
    response.setHeader("date", new Date(now()).toUTCString());
    pipeline(request, response);
  }).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const admin = credentialsOf((await adminKey(store.db, account.id))!);
  // Requests are signed with the server's time.
  const settings = (credentials: Credentials, region: string) => ({
    endpoint,
    region,
    credentials,
    maxAttempts: 1,
    systemClockOffset: ahead,
  });
  return {
    path,
    services,
    store,
    ids,
    account: account.id,
    admin,
    endpoint,
    keys,
    iam: (credentials: Credentials = admin, region = "us-east-1") => new IAMClient(settings(credentials, region)),
    sts: (credentials: Credentials = admin, region = "us-east-1") => new STSClient(settings(credentials, region)),
    emr: (credentials: Credentials = admin, region = "us-east-1") => new EMRClient(settings(credentials, region)),
    /** Moves the server's clock; clients that are made afterwards move with it. */
    advance: (ms: number) => {
      ahead += ms;
    },
    async close() {
      server.close();
      server.closeAllConnections();
      for (const reader of [keys, policies, facts]) reader.close();
      await store.close();
      rmSync(folder, { recursive: true });
      if (faults.length > 0) throw new Error("the API had faults", { cause: faults[0] });
    },
  };
}

export type Api = Awaited<ReturnType<typeof startApi>>;
