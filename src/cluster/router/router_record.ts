/** The record of a router, as it stands in its ConfigMap: others wrote it, or might have. */
import * as v from "valibot";
import { type Read, readJson } from "../../core/read_json.ts";
import { label, ROUTER_SUFFIX, TARGET } from "../../kube/annotations.ts";
import type { KubeObject } from "../../kube/kube_api.ts";
import {
  ipAddress,
  labelValue,
  plainText,
  port,
  sessionId,
  timestamp,
} from "../../kube/object_syntax.ts";
import { MAX_COUNT } from "../service/affinity_ports.ts";
import { isMeshMark } from "./mesh_mark.ts";
import {
  FORMER_SLOTS,
  isRouterPodName,
  MAX_PARTICIPANTS,
  type RouterState,
} from "./router_state.ts";

export const STATE_KEY = "state.json";
/**
 * The sessions of those who know of more than {@link FORMER_SLOTS} slots. Beside the record: an earlier
 * ktctl keeps of that only what it knows.
 */
export const KNOWS_MORE_KEY = "knows-more.json";

/** 128 participants and 32 ports are a third of it, 32 and 256 a fifth. */
const MAX_CHARS = 256 * 1024;

const sessions = v.pipe(v.array(sessionId), v.maxLength(MAX_PARTICIPANTS));

const participant = v.object({
  session: sessionId,
  user: plainText,
  since: timestamp,
  mark: v.pipe(
    v.object({ key: v.string(), value: v.string() }),
    v.check(isMeshMark),
  ),
  slot: v.pipe(
    v.number(),
    v.integer(),
    v.minValue(1),
    v.maxValue(MAX_PARTICIPANTS),
  ),
  target: v.exactOptional(v.object({ host: ipAddress, checkPort: port })),
});

const routerPort = v.object({
  name: v.pipe(v.string(), v.regex(/^[a-z0-9]([-a-z0-9]{0,13}[a-z0-9])?$/)),
  port,
  servicePort: port,
  affinity: v.exactOptional(v.pipe(
    v.object({
      first: port,
      count: v.pipe(
        v.number(),
        v.integer(),
        v.minValue(1),
        v.maxValue(MAX_COUNT),
      ),
    }),
    v.check(({ first, count }) => first + count <= 65_536),
  )),
  isHttp: v.exactOptional(v.literal(true)),
});

const record = v.pipe(
  v.object({
    /**
     * Of the first there are some still: it had copies of names, the image and the selector, too. The third
     * has more than {@link FORMER_SLOTS} slots, which a ktctl that reads the second refuses.
     */
    version: v.picklist([1, 2, 3]),
    namespace: v.exactOptional(v.string()),
    service: v.exactOptional(v.string()),
    podName: v.string(),
    origin: v.union([v.literal(""), ipAddress]),
    ports: v.pipe(
      v.array(routerPort),
      v.minLength(1),
      v.maxLength(256),
      v.check((ports) => areDistinct(ports.map(({ port }) => port))),
    ),
    statusPort: port,
    runtimePort: port,
    lowPorts: v.boolean(),
    participants: v.pipe(
      v.array(participant),
      v.maxLength(MAX_PARTICIPANTS),
      v.check((all) => areDistinct(all.map(({ slot }) => slot))),
      v.check((all) => areDistinct(all.map(({ session }) => session))),
    ),
    closing: v.exactOptional(v.literal(true)),
  }),
  v.check(({ closing, participants }) =>
    closing === undefined || participants.length === 0
  ),
);

function areDistinct(values: readonly unknown[]): boolean {
  return new Set(values).size === values.length;
}

/**
 * The names are the ConfigMap's own: what stands in it may say nothing else. Images, selectors and
 * namespaces are not taken from it.
 */
export function readRouter(configMap: KubeObject): Read<RouterState> {
  const { name, namespace = "", uid } = configMap.metadata;
  const service = name.slice(0, -ROUTER_SUFFIX.length);
  if (!name.endsWith(ROUTER_SUFFIX) || service === "") {
    return { reason: `it is not named as a router's is` };
  }
  const podTarget = label(configMap, TARGET);
  if (podTarget === undefined || !v.is(labelValue, podTarget)) {
    return { reason: `its label "${TARGET}" is missing` };
  }
  const read = readJson(configMap.data?.[STATE_KEY], record, {
    maxChars: MAX_CHARS,
  });
  if (read.reason !== undefined) {
    return { reason: `in ${STATE_KEY}, ${read.reason}` };
  }
  const known = configMap.data?.[KNOWS_MORE_KEY];
  const more = known === undefined
    ? { value: [] }
    : readJson(known, sessions, { maxChars: MAX_CHARS });
  if (more.reason !== undefined) {
    return { reason: `in ${KNOWS_MORE_KEY}, ${more.reason}` };
  }
  const { version: _, participants: all, ...rest } = read.value;
  if ((rest.namespace ?? namespace) !== namespace) {
    return { reason: "it tells of another namespace" };
  }
  if ((rest.service ?? service) !== service) {
    return { reason: "it tells of another Service" };
  }
  if (!isRouterPodName(rest.podName, service)) {
    return { reason: "it names a Pod that is not the router's" };
  }
  const participants = all.map((one) =>
    more.value.includes(one.session)
      ? { ...one, knowsMore: true as const }
      : one
  );
  const its = { ...(uid === undefined ? {} : { uid }), namespace, service };
  return { value: { ...rest, ...its, podTarget, participants } };
}

/** Whether it claims to be a router's of ours. */
export function isRouterRecord({ data }: KubeObject): boolean {
  return data?.[STATE_KEY] !== undefined;
}

/** The data of the ConfigMap. */
export function routerRecord(state: RouterState): Record<string, string> {
  const { namespace: _, service: __, podTarget: ___, uid: ____, ...rest } =
    state;
  const knowing = state.participants.filter(({ knowsMore }) => knowsMore);
  const participants = state.participants.map((
    { knowsMore: _, ...participant },
  ) => participant);
  const isFormer = participants.every(({ slot }) => slot <= FORMER_SLOTS);
  const version = isFormer ? 2 : 3;
  return {
    [STATE_KEY]: JSON.stringify({ version, ...rest, participants }),
    [KNOWS_MORE_KEY]: JSON.stringify(knowing.map(({ session }) => session)),
  };
}
