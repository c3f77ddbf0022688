/**
 * What a plugin is. Types only: a plugin imports these and nothing else of ktctl at run time.
 *
 * A plugin is a plain object, the default export of one self-contained ES module. Whatever it does
 * goes through the scope in its context, so that leaving is the host's job: there is no `close()`.
 */
import type { Json } from "../core/json.ts";
import type { SchemaResult, StandardSchema } from "../core/standard_schema.ts";
import type { Step } from "../undo/step.ts";
import type {
  AnyClusterStep,
  ClusterStep,
  Found,
  FoundState,
} from "../kube/cluster_step.ts";
import type { KubeApi, KubeObject, ObjectRef } from "../kube/kube_api.ts";
import type { World } from "../kube/world.ts";
import type { ClusterLink } from "../link/wire/cluster_link.ts";
import type { RootOperations } from "../helper/root_operations.ts";
import type { PodOptions } from "../cluster/pod/pod_options.ts";
import type { RoutingVerb } from "./routing_verb.ts";

export type { ClusterLink, PodOptions, SchemaResult, StandardSchema };
export type { ClusterStep, Found, FoundState };
export type { RootOperations };
export type { Json, KubeApi, KubeObject, ObjectRef, Step, World };

/** The plugin interface's version. A plugin made for another is refused at load. */
export const PLUGIN_API_VERSION = 1;

/** A hook may be `async`, or not. */
export type MaybePromise<T> = T | Promise<T>;

export type ProbeResult =
  | { readonly ok: true; readonly note?: string }
  | { readonly ok: false; readonly reason: string; readonly hint?: string };

export interface PluginBase<O = unknown> {
  readonly apiVersion: typeof PLUGIN_API_VERSION;
  /** Lower-case kebab, unique within its kind: what `--mode` takes. */
  readonly name: string;
  /** Other names that `--mode` takes for it; unique as `name` is. */
  readonly aliases?: readonly string[];
  /** One line for `--help`. */
  readonly summary: string;
  /** Options of the plugin's own, validated before anything else. */
  readonly options?: StandardSchema<O>;
  /** How the command line offers those options; their values come to `options` under their names. */
  readonly flags?: readonly PluginFlag[];
  /** Every step that it journals, so that a later process can revert it. */
  readonly steps: readonly AnyClusterStep[];
  /** Whether it can work here at all. No side effects. */
  probe(context: ProbeContext): MaybePromise<ProbeResult>;
}

/** An option of a plugin on the command line. */
export interface PluginFlag {
  /** lowerCamel, as all flags: `routerImage` is `--routerImage` and `--router-image`. */
  readonly name: string;
  /** What stands for its value in the help; without, it takes none and comes as `"true"`. */
  readonly value?: string;
  /** It may stand alone as well, and comes as `"true"` then. */
  readonly isValueOptional?: boolean;
  readonly summary: string;
}

/** What every hook is given. */
export interface HookContext {
  /** Aborted when the command is to end: stop waiting then. */
  readonly signal: AbortSignal;
  /** Says no to the user: throws what is shown as an error that is nobody's defect. */
  readonly refuse: Refuse;
}

/**
 * @param code Names the condition for scripts, such as `SERVICE_HEADLESS`.
 * @param message What failed and why, as one sentence without a full stop.
 */
export type Refuse = (
  code: string,
  message: string,
  options?: RefusalOptions,
) => never;

export interface RefusalOptions {
  /** What the user can do next, as a full sentence. */
  readonly hint?: string;
  /** Lines shown below the message. */
  readonly details?: readonly string[];
  /** Which sort of failure it is, and so the exit code. @default "unsupported" (3) */
  readonly kind?: RefusalKind;
}

/**
 * Exit codes: `usage` 2, `unsupported` 3, `permission` 4, `cluster` 5, `conflict` 7 (somebody else
 * has what was asked for; it also ends a command that runs).
 */
export type RefusalKind =
  | "usage"
  | "unsupported"
  | "permission"
  | "cluster"
  | "conflict";

export interface ProbeContext extends HookContext {
  readonly kube: KubeApi;
  /** For transports: as in {@link TransportContext}; operations that change nothing only. */
  readonly root?: RootHelper;
  /** For transports: the plugin's own, read. */
  readonly options?: unknown;
  /** For transports that capture: what they are to capture, as is known now. */
  readonly cidrs?: readonly string[];
  /** As in {@link TransportContext}. */
  readonly bridges?: readonly string[];
}

/** Makes traffic of a Service reach a Shadow Pod. */
export interface RoutingPlugin<O = unknown> extends PluginBase<O> {
  readonly kind: "routing";
  readonly verbs: readonly RoutingVerb[];
  /**
   * Looks at the target and says what Shadow Pod is wanted. Changes nothing; refuses a target that
   * cannot be taken.
   */
  plan(context: RoutingContext<O>): MaybePromise<RoutingPlan>;
  /**
   * Makes what has to be there before the Shadow Pod is, once a command: its scope outlives Shadow
   * Pods that come and go.
   */
  prepare?(context: PrepareContext<O>): MaybePromise<Preparation | void>;
  /**
   * Sends the traffic to the shadow, whose path to the local port is proven by now. Called again,
   * with a new scope, when the Shadow Pod had to be made anew; the former scope was disposed first.
   */
  route(context: RouteContext<O>): MaybePromise<RouteResult | void>;
  /**
   * Asked when the Shadow Pod is lost, while all that `route` did still stands: whether somebody
   * took the target back on purpose. The command ends then, instead of taking it once more.
   */
  isReleased?(context: RoutingContext<O>): MaybePromise<boolean>;
}

/** Takes this machine's connections to addresses of the cluster to {@link ClusterLink}. */
export interface TransportPlugin<O = unknown> extends PluginBase<O> {
  readonly kind: "transport";
  /** What the host does for it, by its options. Changes nothing. */
  needs(options: O): TransportNeeds;
  /**
   * Called once, when the link is up for the first time; the link then lives across reconnects. It
   * returns when addresses of the cluster can be reached.
   */
  open(context: TransportContext<O>): MaybePromise<Transport>;
}

export interface TransportNeeds {
  /**
   * How names of the cluster come to be resolved. `machine`: the host points this machine's resolver
   * to a DNS server of its own, which takes root. `transport`: the plugin leads the machine's queries
   * to that server itself. `none`: names are not resolved here.
   */
  readonly dns: "machine" | "transport" | "none";
  /**
   * Whether it captures addresses on this machine: then it is told which, and a second one at the
   * same time is refused.
   */
  readonly captures: boolean;
}

export interface TransportContext<O = unknown> extends HookContext {
  readonly options: O;
  /** The cluster as seen from a pod. */
  readonly link: ClusterLink;
  /**
   * Addresses to capture, as `10.96.0.0/12`: disjoint, without the API server's, this machine's own
   * and those that clash with its networks.
   */
  readonly cidrs: readonly string[];
  /**
   * Bridges whose containers and virtual machines are to reach the cluster too, as `docker0` or `br-*`;
   * nobody else is who is not this machine itself.
   */
  readonly bridges?: readonly string[];
  /** With `dns: "transport"` only. */
  readonly dns?: TransportDns;
  /** This run's id: lower-case letters and digits. */
  readonly session: string;
  readonly scope: TransportScope;
  readonly root: RootHelper;
  readonly log: PluginLog;
}

/** Where the machine's DNS queries are to go. */
export interface TransportDns {
  /** The host's DNS server: UDP and TCP on 127.0.0.1. */
  readonly port: number;
  /** Name servers whose port 53 this machine asks. */
  readonly servers: readonly string[];
  /** The host's own questions to them come from these ports, and must be let through. */
  readonly ownSourcePorts: { readonly from: number; readonly to: number };
  /** Where the host's DNS server is on port 53 for `bridges`. */
  readonly bridgeAddresses?: readonly string[];
}

/** What an open transport tells and takes. */
export interface Transport {
  /**
   * Addresses of the cluster, or with `dns: "transport"` name servers, that came later, or fewer of them
   * as this machine needs some in another network: takes all that are given in place of the former ones.
   * One call at a time.
   */
  readonly update?: (
    cidrs: readonly string[],
    servers: readonly string[],
  ) => Promise<void>;
  /** A network device that leads to the cluster, where there is one. */
  readonly device?: string;
  /** How to use it, for people. */
  readonly message?: string;
  /** A text to use as it is: printed on its own, in the `ready` event as `output`. */
  readonly output?: string;
  /** More for the `ready` event of `--output json`; its own fields stay as they are. */
  readonly details?: Readonly<Record<string, Json>>;
}

/** The part of a scope that transports see: what they change on the machine goes through {@link RootHelper}. */
export type TransportScope = Omit<PluginScope, "run">;

/**
 * What takes root, done by ktctl's helper process, which is started (with `sudo`, where need be) at
 * the first call and takes everything back when this process ends, however it ends.
 */
export interface RootHelper {
  /**
   * Does one of the helper's operations, such as `redirect.open`. It is taken back by `close`, and
   * else with the session.
   *
   * @param onEvent Told what the helper notices while it is open; what that is, is the operation's.
   */
  open<Name extends keyof RootOperations>(
    operation: Name,
    args: RootOperations[Name]["args"],
    onEvent?: (event: Json) => void,
  ): Promise<OpenedRoot<Name>>;
}

/** What an operation of the root helper has opened. */
export interface OpenedRoot<Name extends keyof RootOperations> {
  readonly result: RootOperations[Name]["result"];
  close(): Promise<void>;
}

export type Plugin = RoutingPlugin<never> | TransportPlugin<never>;

/** A plugin with options of any kind, as its author has it: `satisfies RoutingPlugin<Options>`. */
// deno-lint-ignore no-explicit-any -- options go in and out of a plugin, so that no one type is all of theirs
export type AnyRoutingPlugin = RoutingPlugin<any>;
// deno-lint-ignore no-explicit-any -- as above
export type AnyTransportPlugin = TransportPlugin<any>;

/** The Service whose traffic is wanted, and what it was meant by. */
export interface RoutingTarget {
  /**
   * With the verb `preview`, what the user wants to be there: a name that may be taken, and ports that
   * lead to those of the Shadow Pod. The plugin makes it, with a selector.
   */
  readonly service: KubeObject;
  /** The workload named by the user (`deploy/x`), where it was one. */
  readonly deployment?: KubeObject;
}

/** The mark of `mesh`: a header of requests, or a label of pods. */
export interface RoutingMark {
  /** Lower case. */
  readonly key: string;
  readonly value: string;
}

/** The host's word to the plugin. Its only power. */
export interface RoutingContext<O = unknown> extends HookContext {
  readonly verb: RoutingVerb;
  readonly options: O;
  readonly target: RoutingTarget;
  readonly kube: KubeApi;
  readonly log: PluginLog;
  /** `kt-role`, `kt-target` of this session's Shadow Pod: select by these. */
  readonly shadowLabels: Readonly<Record<string, string>>;
  /** The user's name, as shown to others. */
  readonly user: string;
  /** This run's id: the annotation `ktctl.dev/session` of all that it makes. */
  readonly session: string;
  /** What `plan()` returned when it was called first; from then on every hook is given it. */
  readonly plan?: RoutingPlan;
  /** With the verb `mesh` only. */
  readonly mark?: RoutingMark;
  /** The global options that shape pods. */
  readonly pod: PodOptions;
  /** `--podCreationTimeout` in milliseconds. */
  readonly podTimeoutMs: number;
  /** `--recoverWaitTime` in milliseconds. */
  readonly recoverWaitMs: number;
}

export interface PrepareContext<O = unknown> extends RoutingContext<O> {
  readonly scope: PluginScope;
  /** Objects that others take for abandoned unless somebody renews them: add what is shared. */
  readonly heartbeat: PluginHeartbeat;
  /**
   * Whether the Shadow Pod reaches a host now: a TCP port of it accepts or refuses within 1.5 s. False where
   * there is no link to the Shadow Pod.
   */
  isReachable(host: string): Promise<boolean>;
}

export interface PluginHeartbeat {
  add(ref: ObjectRef): void;
  remove(ref: ObjectRef): void;
}

export interface Preparation {
  /**
   * An address at which the original workload answers on the Service's ports: while no client is
   * attached, the agent sends connections on to it.
   */
  readonly fallbackHost?: string;
}

export interface RouteContext<O = unknown> extends PrepareContext<O> {
  /** Name of the Shadow Pod that is ready now. */
  readonly shadowPod: string;
  /** Name of the Stuntman Service, where the plan asked for the fallback. */
  readonly stuntman?: string;
}

/** What `route` tells the user, beside that it is done. */
export interface RouteResult {
  /** How to reach the laptop, for people: "send the header version: demo". */
  readonly message?: string;
  /** A text to use as it is: printed on its own, in the `ready` event as `output`. */
  readonly output?: string;
  /** More for the `ready` event of `--output json`; its own fields stay as they are. */
  readonly details?: Readonly<Record<string, Json>>;
}

/** The part of a scope that plugins see. */
export interface PluginScope {
  readonly signal: AbortSignal;
  /** Makes a change that outlives the process. Journalled, reverted when the scope ends. */
  run<A extends Json, I, R>(
    step: Step<A, I, R, World>,
    args: A,
    input: I,
  ): Promise<R>;
  /** Something that dies with the process. */
  use<T extends Disposable | AsyncDisposable>(resource: T, name?: string): T;
  /** Runs when the scope ends, in reverse order with the rest. */
  defer(name: string, release: () => void | Promise<void>): void;
  /** A task as long as the scope. An error in it ends the command with that error. */
  background(name: string, task: (signal: AbortSignal) => Promise<void>): void;
}

export interface PluginLog {
  /** Tells the user something: a line, or a `notice` event with `--output json`. */
  info(message: string): void;
  warn(code: string, message: string): void;
  debug(message: string): void;
}

/** The Shadow Pod that a routing plugin wants. */
export interface RoutingPlan {
  /** Labels beside `control-by`, `kt-role` and `kt-target`. */
  readonly labels?: Readonly<Record<string, string>>;
  /** The value of the `kt-config` annotation. */
  readonly config: string;
  /** Prefix of the pod's name; `-kt-<verb>-<random>` follows, with the verb `preview` `-kt-<random>`. */
  readonly namePrefix: string;
  /** The pod's whole name, in place of the prefix. */
  readonly name?: string;
  /**
   * True: while no client is attached, the agent sends connections on to the original workload,
   * through a Stuntman Service that keeps the original selector.
   */
  readonly fallback: boolean;
  /** Whether the Shadow Pod is the Service's only endpoint once it is routed. @default verb is exchange */
  readonly takesAll?: boolean;
  /** At once, or only while a client serves it; `checked`: at once, as what leads there asks `/ready` itself. */
  readonly ready: "always" | "attached" | "checked";
  /** What the plugin itself has to know of this plan later, such as which object it looked at. */
  readonly found?: Readonly<Record<string, Json>>;
}

/** Types a plugin object; returns it unchanged. */
export function definePlugin<O>(
  plugin: RoutingPlugin<O>,
): RoutingPlugin<never>;
export function definePlugin<O>(
  plugin: TransportPlugin<O>,
): TransportPlugin<never>;
export function definePlugin(plugin: unknown): unknown {
  return plugin;
}
