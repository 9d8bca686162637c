/** Where things are on a node. Paths are the same inside the node and on its host, whatever the degree of isolation. */
import { join } from "node:path";

/** `root` is the node's own folder, DATA/nodes/i-…. */
export function nodeLayout(root: string) {
  return {
    root,
    /** LaunchSpec, with the agent's token: mode 0600. */
    spec: join(root, "node.json"),
    manifest: join(root, "manifest.json"),
    /** Records of running daemons, markers. */
    run: join(root, "run"),
    conf: join(root, "conf"),
    /** The first volume, EMR's /mnt: HDFS's names and blocks, YARN's local folders. */
    data: join(root, "data"),
    logs: join(root, "logs"),
    steps: join(root, "steps"),
    /** A copy of /mnt/var/lib/info, which degree plain has not; its path is in HOWDAH_INFO. */
    info: join(root, "info"),
    tmp: join(root, "tmp"),
    home: join(root, "home"),
    /** The node's own copy of the agent. */
    agent: join(root, "agent"),
    /** The node's own Python environment, over the shared one: what `pip install` brings is there. */
    python: join(root, "python"),
    /** Environment of the node for login shells: a file that a POSIX shell reads. */
    profile: join(root, "run", "profile.sh"),
    /** Degree view: what the node has changed of the host's folders; scratch of the overlays; where its root is put together. */
    upper: join(root, "upper"),
    work: join(root, "work"),
    mount: join(root, "root"),
    /** Degree view: what the node has changed of the engines in the machine's cache (a jar put in /usr/lib/spark/jars). */
    engines: join(root, "engines"),
    /** Emptied at each launch of the node, as a machine's /run is: state of daemons that must not outlive what it speaks of. */
    volatile: join(root, "run", "volatile"),
    /** What programs of the node want said: each file's text becomes a warning of the cluster. */
    warnings: join(root, "run", "warnings"),
    /** What is wrong with volumes that are filesystems of their own, as a NodeManager's health script says it; empty where nothing is. */
    volumesHealth: join(root, "run", "volumes-health"),
    /** Token file that SDKs read for the container credentials endpoint. */
    credentialsToken: join(root, "run", "credentials-token"),
    /** The same for each running step that has a runtime role: a file by its id. */
    stepTokens: join(root, "run", "step-tokens"),
  };
}

/** Folder of a volume by its place: EMR's /mnt, /mnt1, … */
export const volumeFolder = ({ root }: Pick<NodeLayout, "root">, index: number): string => join(root, `data${index === 0 ? "" : index}`);

export type NodeLayout = ReturnType<typeof nodeLayout>;

/** Port of the agent's container-credentials endpoint, on the node's address. */
export const credentialsPort = 8179;

/** Where the agent passes on what a client of the credentials endpoint has shown as user:password, in base64. */
export const sessionHeader = "x-howdah-session";

/** The control plane's answer where a role that is asked for cannot be taken; its text says why. */
export const roleRefused = 409;

/** The endpoint for the node's own credentials, or for those of a step's runtime role. */
export const credentialsUrl = (address: string, stepId?: string): string =>
  `http://${address}:${credentialsPort}/credentials${stepId === undefined ? "" : `/${stepId}`}`;

/** Control plane's paths for agents, on the one port: long poll of the manifest, report, and the cluster's credentials. */
export const agentPaths = {
  manifest: "/_howdah/agent/manifest",
  report: "/_howdah/agent/report",
  credentials: "/_howdah/agent/credentials",
} as const;
