/** Nodes on this machine, with the engines of the cache, s3proxy, and their agents' link. */
import { existsSync, readdirSync, readFileSync, statfsSync } from "node:fs";
import type { Logger } from "pino";
import { createAgentLink } from "../api/agent-link.ts";
import { cacheFolder, type DataFolder, ownerVariable } from "../data-folder.ts";
import { createEngineInstaller } from "../engine-installer.ts";
import { enginePorts } from "../engines/index.ts";
import type { Installation } from "../engines/installation.ts";
import { describeListener, foreignListeners } from "../providers/local/listeners.ts";
import { createCatalogs } from "../glue/catalogs.ts";
import { identityOf } from "../glue/server.ts";
import { runningServer } from "../process/kept-server.ts";
import { bestDegree, createLocalProvider } from "../providers/local/provider.ts";
import { tryLoopVolumes } from "../providers/local/volumes.ts";
import type { HostDisk } from "../reconcile/node-volumes.ts";
import { applicationsOf, findRelease, releaseLabels } from "../releases/release.ts";
import { liveClusters } from "../store/clusters.ts";
import { superviseS3Proxy } from "../s3/s3proxy.ts";
import { readInstallation } from "../setup.ts";
import type { Nodes } from "./nodes.ts";

/** Throws where the engines are missing. `isolation`: where it is not to be the best that the host allows. */
export function localNodes(data: DataFolder, isolation: "view" | "plain" | undefined, log: Logger, volumes: "folders" | "loop"): Nodes {
  const installation = requireInstallation(releaseLabels()[0] ?? "");
  const owner = { [ownerVariable]: data.root };
  return {
    async startS3(changed) {
      const { stop, ...server } = await superviseS3Proxy(
        { data, jar: installation.s3proxy.jar, javaHome: installation.javaHome, ownerEnv: owner },
        {
          changed(next) {
            log.warn({ endpoint: next.endpoint }, "the embedded S3 server had ended and was started again");
            changed(next);
          },
          failed: (error) => log.error({ err: error }, "the embedded S3 server cannot be started, will be tried again"),
        },
      );
      return { server, stop };
    },
    async join(context, ids, endpoint) {
      if (volumes === "loop") await tryLoopVolumes(data);
      const degree = isolation ?? (await bestDegree()).degree;
      const installer = createEngineInstaller(data);
      const catalogs = createCatalogs(
        {
          data,
          hive: () => installer(hiveRelease, ["Hive"]),
          installation: () => requireInstallation(hiveRelease, ["Hive"]),
          log,
        },
        [
          ...runningCatalogs(data),
          ...(await liveClusters(context.store.db)).flatMap(({ spec, account_id }) => (spec.usesCatalog ? [account_id] : [])),
        ],
      );
      const link = createAgentLink(
        context,
        ids,
        { endpoint, nodeFolder: data.node, hostDisk: hostDisk(data), installation: requireInstallation, catalog: catalogs.connection },
        log,
      );
      return {
        degree,
        provider: createLocalProvider({ data, native: installation.native, degree, engines: cacheFolder(), owner }),
        engines(releaseLabel, applications, catalogOf) {
          const state = installer(releaseLabel, applications);
          return state === "there" && catalogOf !== undefined ? catalogs.state(catalogOf) : state;
        },
        catalogs,
        portsTaken,
        freeMemoryMb,
        handle: link.handle,
        stop: catalogs.stop,
      };
    },
  };
}

/** Whose Hive accounts' metastores are of. */
const hiveRelease = releaseLabels().find((label) => applicationsOf(findRelease(label)!).Hive !== undefined) ?? "";

/** Accounts whose metastores an earlier control plane has left running. */
const runningCatalogs = (data: DataFolder): string[] =>
  existsSync(data.glue) ? readdirSync(data.glue).filter((accountId) => runningServer(identityOf(data, accountId))) : [];

function hostDisk({ root }: DataFolder): HostDisk {
  const { blocks, bfree, bavail, bsize } = statfsSync(root);
  return { bytes: blocks * bsize, keptBytes: (bfree - bavail) * bsize };
}

function requireInstallation(releaseLabel: string, applications: readonly string[] = []): Installation {
  const installation = readInstallation(releaseLabel, applications);
  if ("missing" in installation)
    throw new Error(
      `${releaseLabel} is not set up: ${installation.missing.join(", ")}. Run: ${["howdah engines install", ...applications].join(" ")}`,
    );
  return installation;
}

function portsTaken(message: string): string[] {
  const named = [...message.matchAll(/:(\d{2,5})\b/g)].map((match) => Number(match[1]));
  return foreignListeners([...enginePorts, ...named]).map(describeListener);
}

/** What the kernel says can be given away without swapping. */
function freeMemoryMb(): number {
  const match = /^MemAvailable:\s+(\d+) kB/m.exec(readFileSync("/proc/meminfo", "utf8"));
  return Math.floor(Number(match?.[1] ?? 0) / 1024);
}
