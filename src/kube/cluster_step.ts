/** Steps that change a cluster: what is left of one is found by the objects there as well, without its journal. */
import type { Json } from "../core/json.ts";
import type { Step } from "../undo/step.ts";
import type { KubeObject } from "./kube_api.ts";
import type { World } from "./world.ts";

/** The objects of a namespace, as they were a moment ago. */
export interface NamespaceState {
  /** Every Service of the namespace. */
  readonly services: readonly KubeObject[];
  /** Every Deployment of the namespace. */
  readonly deployments: readonly KubeObject[];
  /** Those labelled `control-by=kt` that keep a Shadow Pod; none where they may not be listed. */
  readonly replicaSets: readonly KubeObject[];
  /** Those that a ktctl made. The pods of a shadow Deployment have a role, but no `control-by`. */
  readonly pods: readonly KubeObject[];
  /** Those labelled `control-by=kt` only, as the next; with data only where it may be a router's record. */
  readonly configMaps: readonly KubeObject[];
  /** Of `--restoreAfter`: those that go with their pod, and what is left where there came to be none. @default none */
  readonly serviceAccounts?: readonly KubeObject[];
  /** Without data. */
  readonly secrets: readonly KubeObject[];
}

/** A namespace as somebody looks at it who takes changes back. */
export interface FoundState extends NamespaceState {
  /** Where nothing says so: where its objects are. */
  readonly namespace: string;
  /** Unix seconds by the cluster's clock. */
  readonly now: number;
  /**
   * Whether the session which an object tells of is over: it is dead, or its Service is taken from it.
   * What cannot be read counts as well, unless an agent answers for it.
   */
  isOver(object: KubeObject): boolean;
  /** Whether a sign of life, in unix seconds, was given too long ago. */
  isOld(beat: number): boolean;
  /** Whether the agent of a shared Shadow Pod has a link to the session. */
  isLinked(session: string): boolean;
  /** Whether what is written on the object holds. What does not is left as it is. */
  isReadable(object: KubeObject): boolean;
}

/** A change that is to be taken back, as the objects of the cluster tell of it. */
export interface Found<A extends Json = Json> {
  readonly args: A;
  /** What taking it back does, in words: `restore the selector of Service "web" to app=web`. */
  readonly action: string;
  /** What it is the change of: where another step claims that, it is none. */
  readonly object?: KubeObject;
  /**
   * What serves in its place, or has the only copy of what it restores: kept while that fails, with
   * all that the same sessions made.
   */
  readonly reliesOn?: readonly KubeObject[];
}

/** A step that says what is left of it in a namespace. */
export interface ClusterStep<
  A extends Json = Json,
  I = unknown,
  R = unknown,
> extends Step<A, I, R, World> {
  /**
   * What sessions that are over left of this step, whoever's laptop they ran on. Changes nothing. Objects
   * are others' words: look at them before something is done by them.
   */
  find?(state: FoundState): readonly Found<A>[];
  /** It finds whatever looks like its change: an object that another step finds is that one's. @default false */
  readonly isGeneral?: boolean;
  /** Objects that nobody else may change or delete: its revert does, or somebody still needs them. */
  claims?(state: FoundState): readonly KubeObject[];
}

/** A step of any shape, as kept in tables. */
// deno-lint-ignore no-explicit-any -- a table holds steps of unlike arguments
export type AnyClusterStep = ClusterStep<any, any, any>;
