/**
 * The node manifest: what the control plane says a node must be. The agent converges to it and reports what is so.
 * Neither side knows more of the other than this file. All of it is plain JSON.
 *
 * Order on a node: `base` → bootstrap actions, one after the other → `files` → daemons (those with
 * `after` once the daemons they name are ready, and tasks done) → tasks (once their daemon is ready) → phase `ready` → steps as they are ordered.
 */

export type NodeRole = "MASTER" | "CORE" | "TASK";

export interface Manifest {
  /** Rises with every change; a report says which one it answers. */
  generation: number;
  clusterId: string;
  instanceId: string;
  role: NodeRole;
  /** Loopback address (provider local) or the host's own. */
  address: string;
  region: string;
  /** EC2's instance metadata: paths below /latest/ and their texts, for example meta-data/instance-id. */
  metadata: Record<string, string>;
  /** Whether it is told to whoever asks or needs a token (IMDSv2). One of an earlier Howdah, read from the disk, does not say. */
  metadataHttpTokens?: "optional" | "required";
  /** Environment of everything that runs on the node: PATH, JAVA_HOME, HADOOP_CONF_DIR, … */
  env: Record<string, string>;
  /** What scripts find on a node before anything of the cluster runs: its Python, commands and folders at EMR's own paths. */
  base: BaseFile[];
  files: ManifestFile[];
  bootstrapActions: BootstrapOrder[];
  daemons: Daemon[];
  tasks: Task[];
  saves: Save[];
  /** Of the master, where nodes have left its cluster or are to. */
  decommission?: Decommission;
  steps: StepOrder[];
  /** Ids of the cluster's running steps with runtime roles: their containers may run on any node. */
  roleSteps: string[];
  logs: LogShipping | null;
  /**
   * The cluster ends, or goes on without this node: end steps, run the saves, report phase `saved`, end daemons, ship the last logs, then report phase `stopped`. The other nodes are
   * told when the master has saved: what it saves is with their daemons.
   */
  stopping: boolean;
}

/**
 * `path` is absolute. Content is either given or copied from another absolute path. What is there is replaced when these words change, and only
 * then: what users have made of a file since is theirs.
 */
export interface ManifestFile {
  path: string;
  /** As for chmod, for example 0o644. */
  mode?: number;
  content?: string;
  copyFrom?: string;
  /** Written only where nothing is there yet: state that a daemon owns afterwards (the NameNode's first image). */
  once?: boolean;
}

export interface BaseFile extends ManifestFile {
  /** The path is a symbolic link to this one, and has no content. */
  linkTo?: string;
  /** At one of EMR's absolute paths, which only a node with a view of its own has: left out in degree plain. */
  view?: true;
}

export interface BootstrapOrder {
  /** 1, 2, …: the number in the log path and in EMR's message "bootstrap action 1 returned a non-zero return code". */
  ordinal: number;
  name: string;
  /** s3://bucket/key, file:///path or /path. */
  path: string;
  args: string[];
}

export interface Daemon {
  /** hadoop-hdfs-namenode, spark-history-server, …: EMR's own service names. */
  name: string;
  argv: string[];
  env?: Record<string, string>;
  cwd?: string;
  /** Where stdout and stderr go. */
  log: string;
  /** Ready when all of these hold. */
  ready: Probe[];
  /** Where it says whether its node is fit for its work: an HTTP GET (JSON). Not fit where the value at `path` is false; `why` leads to its reason. */
  healthy?: { url: string; path: string[]; why: string[] };
  /** Names of daemons that must be ready, and of tasks that must be done, before this one is started. */
  after?: string[];
  /** false: the node is `ready` without it (history servers), and it is started when all others are ready. */
  gate: boolean;
  /** It may end by itself, and is not started again then. */
  mayEnd?: true;
}

/** A TCP connect, or an HTTP GET (JSON) whose value at `path` is at least `atLeast`, or equals `equals`. */
export type Probe =
  | { tcp: { host: string; port: number } }
  | { http: { url: string; path: (string | number)[]; atLeast?: number; equals?: string } };

/** Runs to the end once a daemon is ready; tried again until it exits 0. It must be idempotent. */
export interface Task {
  name: string;
  after: string;
  argv: string[];
  env?: Record<string, string>;
  gate: boolean;
}

/**
 * A command that takes other nodes out of service: it runs as long as the manifest has it, again after any end but with 0, and each line that it writes is JSON, a
 * Report's `decommission` and `blocks`. It must be idempotent, and end when nobody reads what it writes.
 */
export interface Decommission {
  argv: string[];
}

/**
 * Brings what daemons keep, and what would end with the cluster, into the node's log folder. Runs behind each step's end, and with a last argument
 * `last` before the daemons are stopped. It must be idempotent; what it could not do it says in a line on stderr, and exits with 1.
 */
export interface Save {
  name: string;
  argv: string[];
  /** For the last time: a cluster's end waits for it. */
  timeoutMs: number;
  /** Not behind steps. */
  atEndOnly?: true;
}

/** Runs at most once on a node, whatever happens to the agent. */
export interface StepOrder {
  id: string;
  name: string;
  /** Fetched before the start to an absolute path; mode 0755. A failure is the step's failure. `name`: as the user wrote it, where that is not `uri`. */
  fetch: { uri: string; to: string; name?: string }[];
  argv: string[];
  env: Record<string, string>;
  /** What it starts has credentials of its own, those of the step's runtime role. */
  hasRole?: true;
  /** It is to end: it does not begin, or is sent SIGTERM or SIGKILL. Once ordered it stays so. */
  cancel?: "SEND_INTERRUPT" | "TERMINATE_PROCESS";
}

/** Where logs go: `uri` is the cluster's LogUri joined with its id, for example s3://bucket/logs/j-ABC. */
export interface LogShipping {
  uri: string;
  /** Folders on the node and where their files appear below `uri`, {i} being the instance id. */
  folders: { from: string; to: string }[];
}

/** `saved`: it ends, its saves have run, and so its daemons and those of the other nodes may go. */
export type NodePhase = "bootstrapping" | "starting" | "ready" | "failed" | "saved" | "stopped";

/** What is so on the node, whole each time: a newer report replaces an older one. */
export interface Report {
  instanceId: string;
  bootId: string;
  /** Rises with each report, over restarts of the agent too, until the machine is started again. */
  seq: number;
  /** Generation of the manifest that the agent is converging to; 0 before it has one. */
  generation: number;
  phase: NodePhase;
  /** Only in phase failed. */
  failure?: NodeFailure;
  bootstrapActions: { ordinal: number; state: "pending" | "running" | "done" | "failed"; exitCode?: number }[];
  /** `unhealthy`: why the node is not fit for this daemon's work, by its own word, or because it ends again and again on a node that was in use. */
  daemons: { name: string; state: "waiting" | "starting" | "ready" | "down"; restarts: number; pid?: number; unhealthy?: string }[];
  tasks: { name: string; state: "waiting" | "done" | "retrying"; lastError?: string }[];
  steps: StepReport[];
  /** Of nodes that are to go out of service, by instance id: the master's report. */
  decommission?: Record<string, DecommissionState>;
  /** While nodes that are gone are among these: blocks that are to have more copies than they have, and blocks of which none is left. */
  blocks?: { short: number; missing: number };
  /** What a user should know and no other field says: a log that could not be shipped, a script that names a path the node has not. */
  warnings: string[];
}

/** `DECOMMISSIONED`: nothing that runs or lies on the node is needed any more; of one that is gone, that what it had is elsewhere, as far as it can be. */
export type DecommissionState = "DECOMMISSIONING" | "DECOMMISSIONED";

export interface NodeFailure {
  kind: "bootstrap-exit" | "bootstrap-download" | "daemon" | "files";
  ordinal?: number;
  exitCode?: number;
  message: string;
  /** Path on the node of the log that tells more. */
  logFile?: string;
}

/**
 * `lost`: the marker is there, but neither the process nor its exit code: nobody knows how it ended, and it is not run again.
 * `cancelled`: it never began, or ended after the signal that its order's `cancel` asks for was sent; one that was faster ends as it does.
 */
export interface StepReport {
  id: string;
  state: "fetching" | "running" | "exited" | "lost" | "not-started" | "fetch-failed" | "cancelled";
  exitCode?: number;
  /** Epoch milliseconds. */
  startedAt?: number;
  endedAt?: number;
  /** For FailureDetails: the last telling lines of stderr, or why the fetch failed. */
  message?: string;
  logsShipped?: boolean;
}
