/** What the agent in the Shadow Pod is told, as JSON in its command. Shared by client and agent. */
import { createHash } from "node:crypto";

/** Where the agent's files are mounted in the pod. */
export const AGENT_DIR = "/ktctl/agent";
/** Where the Secret (host key, authorised key) is mounted in the pod. */
export const AGENT_KEYS_DIR = "/ktctl/keys";

/** Where the program is mounted that takes back, and the token with which it does. */
export const RESTORER_FILE = "/ktctl/restorer/restorer.js";
export const RESTORER_ACCOUNT_DIR = "/ktctl/account";

export interface AgentConfig {
  /** The SSH server's port on the pod's loopback. */
  readonly sshPort: number;
  /** Port of the HTTP status page on all addresses: `/ready` for the kubelet, `/status` for ktctl. */
  readonly statusPort: number;
  readonly ports: readonly AgentPort[];
  /**
   * `always`: ready as soon as the agent listens (a fallback answers while no client is attached).
   * `attached`: ready only while a client serves every port that is not passed through.
   */
  readonly ready: "always" | "attached";
  /** A client from which no byte came for so long counts as gone. */
  readonly clientTimeoutMs: number;
  /** After SIGTERM the listeners stay open until none has come for so long: some may be on their way. */
  readonly lingerMs: number;
  /** They stay no longer than this. @default lingerMs */
  readonly mostLingerMs?: number;
  /** @default "/etc/resolv.conf" */
  readonly resolvConfFile?: string;
  /** What to take back when no laptop was there for so long. @default nothing, ever */
  readonly restore?: AgentRestore;
  /** A UDP socket is closed after so long without a datagram; at port 53 after a sixth. @default 60000 */
  readonly datagramIdleMs?: number;
}

export interface AgentPort {
  /** The TCP port that the agent listens on, on all addresses of the pod. */
  readonly port: number;
  /** Where connections go while no client takes them. None: they are refused (reset). */
  readonly fallback?: {
    readonly host: string;
    readonly port: number;
    /** In place of `port`: a client, by its address, always comes by the same of these. */
    readonly affinity?: { readonly first: number; readonly count: number };
  };
  /** No client will take it: it is there for the fallback alone. @default false */
  readonly isPassedThrough?: boolean;
}

/** The dead-man's switch: the agent takes back all that its session did, as `ktctl clean` would. */
export interface AgentRestore {
  /** So long no client was attached, since the last one; since the agent's start it is 45 s at least. */
  readonly afterMs: number;
  /** SHA-256 of the program that does so ({@link RestoreProgram}), in hexadecimal digits. */
  readonly programDigest: string;
  readonly session: string;
  readonly namespace: string;
  /** By these labels a Service leads to this pod. */
  readonly shadow: Readonly<Record<string, string>>;
  /** All that may have to be looked at or changed: nothing else may be, by the pod's Role. */
  readonly objects: readonly RestoreObject[];
  /** Those of them that are this pod, or make it: all else goes with them, so that they are deleted last. */
  readonly keepers: readonly Pick<RestoreObject, "kind" | "name">[];
}

/** An object of the session's namespace, which may or may not be there. */
export interface RestoreObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly plural: string;
  readonly name: string;
  readonly verbs: readonly ("get" | "patch" | "delete")[];
}

/** What the program that takes back has of the agent. */
export interface RestoreHooks {
  readonly log: (line: string) => void;
  /**
   * From now on no client may attach. False where one is attached: then nothing may be changed.
   * True however often it is asked after that.
   */
  readonly begin: () => boolean;
  /** Resolves when new connections have stopped coming, or a few seconds later. */
  readonly quiet: () => Promise<void>;
}

/** The program's exports. It is loaded only when the time is over. */
export interface RestoreProgram {
  /** Resolves when all is taken back, or a client was there before anything was. */
  restore(config: AgentRestore, hooks: RestoreHooks): Promise<void>;
}

/** One who logs in, by the name given there. */
export interface AgentClient {
  readonly attached: boolean;
  /** Unix seconds of the last login or logout, by the pod's clock. */
  readonly since: number;
}

/** Body of `GET /status`. */
export interface AgentStatus {
  /**
   * Whether an SSH client that serves at least one port is attached now; in a pod without ports,
   * whether one is logged in.
   */
  readonly attached: boolean;
  /** Unix seconds of the last attach or detach, by the pod's clock. */
  readonly since: number;
  /** Open connections by where they go. */
  readonly connections: { readonly client: number; readonly fallback: number };
  /** Unix seconds, by the pod's clock. */
  readonly startedAt: number;
  /** The same, when it was asked. An agent of before does not tell. */
  readonly now?: number;
  /**
   * By {@link clientKey} of the name; who left an hour ago may be missing. Several share a pod of
   * `connect --shareShadow`.
   */
  readonly clients: Readonly<Record<string, AgentClient>>;
}

/** What the pod runs, beside its configuration. */
export interface AgentParts {
  /** The bundle, as it stands in the ConfigMap. */
  readonly source: string;
  /** {@link keysDigest} of the Secret's keys. */
  readonly keysDigest: string;
}

/**
 * The container's command. Tried with `denoland/deno:2.9.6`: uid 1000, read-only root file system,
 * no environment; where Deno cannot make its cache directory it does without. With a small young
 * generation, collected in one thread, the agent needs about 60 MiB idle, and below 100 MiB after
 * gigabytes through one connection, 200 MiB through eight at once.
 *
 * Nobody can change it in a pod that is there. So all that decides what the pod does is in it, or
 * has its digest in it: ConfigMap and Secret may be another's when the container starts again.
 */
export function agentCommand(
  config: AgentConfig,
  { source, keysDigest }: AgentParts,
): string[] {
  const digest = createHash("sha256").update(source).digest("hex");
  return [
    "deno",
    "run",
    "--v8-flags=--max-semi-space-size=1,--single-threaded-gc",
    "--no-prompt",
    "--no-config",
    "--no-lock",
    "--cached-only",
    "--allow-net",
    "--allow-read=/ktctl,/etc/resolv.conf",
    ...(config.restore === undefined ? [] : RESTORER_FLAGS),
    `data:text/javascript,${encodeURIComponent(loader(digest))}`,
    JSON.stringify(config),
    keysDigest,
  ];
}

/** Where the API server is, and how its clock goes on from its last answer. */
const RESTORER_FLAGS = [
  "--allow-env=KUBERNETES_SERVICE_HOST,KUBERNETES_SERVICE_PORT",
  "--allow-sys=osUptime",
];

/** Runs the bytes that it has checked: the file may be another one a moment later. */
function loader(digest: string): string {
  const file = `${AGENT_DIR}/agent.js`;
  return `import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
const code = readFileSync("${file}");
if (createHash("sha256").update(code).digest("hex") !== "${digest}") {
  console.error("${file} is not the agent that this pod was made with: it is not run");
  Deno.exit(1);
}
const url = URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
await import(url);
URL.revokeObjectURL(url);
`;
}
