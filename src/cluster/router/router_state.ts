/** What the Router Pod of a Service is to do, as kept in its ConfigMap: the participants' one truth. */
import { ConflictError } from "../../core/errors.ts";
import {
  annotation,
  isStuntmanOf,
  ROUTER_STATE,
  routerName,
} from "../../kube/annotations.ts";
import type { KubeObject } from "../../kube/kube_api.ts";
import type { PortRange } from "../service/affinity_ports.ts";
import { markText, type MeshMark, meshName } from "./mesh_mark.ts";

/** A port that the router listens on, for one target of the Service's ports. */
export interface RouterPort {
  readonly name: string;
  readonly port: number;
  /** The Service's port, at which Stuntman and Shadow Services are asked. */
  readonly servicePort: number;
  /** Of the Stuntman Service, where it keeps a client at one pod. */
  readonly affinity?: PortRange;
  /** The Service says that it is HTTP: the client speaks first, however late. */
  readonly isHttp?: true;
}

/** Where marked requests go. */
export interface RouteTarget {
  /** Cluster IP of the Shadow Service. */
  readonly host: string;
  /** Its port of the agent's status page. */
  readonly checkPort: number;
}

/** One developer's part in the router. */
export interface Participant {
  readonly session: string;
  readonly user: string;
  /** RFC 3339. */
  readonly since: string;
  readonly mark: MeshMark;
  /** 1 … {@link slotCount}. */
  readonly slot: number;
  /** Its ktctl understands a record with more than {@link FORMER_SLOTS} slots. */
  readonly knowsMore?: true;
  /** None yet, or none while the Shadow Pod is made anew. */
  readonly target?: RouteTarget;
}

export interface RouterState {
  readonly namespace: string;
  readonly service: string;
  /** The ConfigMap's: one that was made later under its name is another router's. */
  readonly uid?: string;
  /** Name of the Router Pod that serves, or that is to be made. */
  readonly podName: string;
  /** Value of the label `kt-target` by which the Service finds it. */
  readonly podTarget: string;
  /** Cluster IP of the Stuntman Service; empty until that is made. */
  readonly origin: string;
  readonly ports: readonly RouterPort[];
  readonly statusPort: number;
  /** haproxy's runtime API, on the pod's loopback. */
  readonly runtimePort: number;
  readonly lowPorts: boolean;
  readonly participants: readonly Participant[];
  /** The last participant left: all is being taken back, nobody may join. */
  readonly closing?: true;
}

/** Of any router: of one with few ports. */
export const MAX_PARTICIPANTS = 128;
/** All that an earlier ktctl makes, and the most that it understands. */
export const FORMER_SLOTS = 32;
/** Each port has its own servers, for all slots: so many fit into the pod's command. */
const MAX_SERVERS = 4096;

/** Slots are made with the router and cost nothing while they are empty. */
export function slotCount({ ports }: Pick<RouterState, "ports">): number {
  const fitting = Math.floor(MAX_SERVERS / ports.length);
  return Math.max(FORMER_SLOTS, Math.min(fitting, MAX_PARTICIPANTS));
}

/**
 * With the participant in it, in a slot of its own. Throws `ConflictError` (`MARK_TAKEN`,
 * `ROUTER_FULL`).
 */
export function joined(
  state: RouterState,
  participant: Omit<Participant, "slot" | "target" | "knowsMore">,
): RouterState {
  const wanted = { ...participant, knowsMore: true } as const;
  const others = state.participants.filter(({ session }) =>
    session !== wanted.session
  );
  if (others.length < state.participants.length) return state;
  refuseTakenMark(state, wanted.mark);
  const slot = freeSlot(state);
  return { ...state, participants: [...others, { ...wanted, slot }] };
}

/** Throws `ConflictError` (`MARK_TAKEN`) naming who has the mark. */
export function refuseTakenMark(state: RouterState, mark: MeshMark): void {
  const { service } = state;
  const name = meshName(service, mark);
  const holder = state.participants.find((one) =>
    meshName(service, one.mark) === name
  );
  if (holder === undefined) return;
  const theirs = markText(holder.mark);
  const what = theirs === markText(mark)
    ? `that mark since ${holder.since}`
    : `"${theirs}" since ${holder.since}, and both would be named "${name}"`;
  throw new ConflictError(
    "MARK_TAKEN",
    `Cannot mesh Service "${service}" with "${
      markText(mark)
    }": ${holder.user} has ${what}`,
    {
      hint:
        `Take another mark; if ${holder.user} is gone for good, run \`ktctl clean\`.`,
    },
  );
}

/** The lowest: those of before stay within what an earlier ktctl understands, for as long as one is in it. */
function freeSlot(state: RouterState): number {
  const { participants } = state;
  const taken = new Set(participants.map(({ slot }) => slot));
  const former = participants.filter(({ knowsMore }) => !knowsMore);
  const all = slotCount(state);
  const count = former.length === 0 ? all : FORMER_SLOTS;
  for (let slot = 1; slot <= count; slot++) {
    if (!taken.has(slot)) return slot;
  }
  const users = [...new Set(former.map(({ user }) => user))].join(", ");
  throw new ConflictError(
    "ROUTER_FULL",
    `Cannot join the router: its ${count} places are taken`,
    {
      hint: count === all
        ? "Wait until somebody leaves."
        : `Wait until somebody leaves. It has ${all} places once these have a newer ktctl: ${users}.`,
    },
  );
}

/** Without the session; closing where it was the last. */
export function left(
  state: RouterState,
  sessions: readonly string[],
): RouterState {
  const participants = state.participants.filter(({ session }) =>
    !sessions.includes(session)
  );
  return participants.length === 0
    ? { ...state, participants, closing: true }
    : { ...state, participants };
}

/** With the session's requests sent to `target`, or to nobody. */
export function routed(
  state: RouterState,
  session: string,
  target: RouteTarget | undefined,
): RouterState {
  return {
    ...state,
    participants: state.participants.map((one) => {
      if (one.session !== session) return one;
      const { target: _, ...rest } = one;
      return target === undefined ? rest : { ...rest, target };
    }),
  };
}

/** Whether an object is the router's own ConfigMap, Pod or Stuntman Service. Its name says so, which nobody can change. */
export function belongsTo(
  object: KubeObject,
  { service }: Pick<RouterState, "service">,
): boolean {
  return annotation(object, ROUTER_STATE) !== undefined &&
    (isStuntmanOf(object, service) ||
      isRouterPodName(object.metadata.name, service));
}

/** Kubernetes cuts a name that it gives a random end to. */
const MAX_BASE_LENGTH = 58;

/** The router's name, or that with a random end: ours, or a ReplicaSet's. */
export function isRouterPodName(name: string, service: string): boolean {
  const first = routerName(service);
  const base = `${first}-`;
  const isEnded = (base: string) =>
    name.startsWith(base) && /^[a-z0-9]{5}$/.test(name.slice(base.length));
  return name === first || isEnded(base) ||
    isEnded(base.slice(0, MAX_BASE_LENGTH));
}
