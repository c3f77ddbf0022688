/** The Stuntman Service: the original workload under another name, for what must still reach it. */
import { ConflictError } from "../../core/errors.ts";
import type { Scope } from "../../undo/scope.ts";
import {
  annotation,
  CONFIG,
  CONTROL_BY,
  CONTROL_BY_KT,
  HEARTBEAT,
  isStuntmanOf,
  isSwitched,
  label,
  ROUTER_STATE,
  SESSION,
  stuntmanName,
} from "../../kube/annotations.ts";
import type { KubeApi, KubeObject } from "../../kube/kube_api.ts";
import { SERVICES } from "../../kube/resources.ts";
import type { World } from "../../kube/world.ts";
import { isStale } from "../object/liveness.ts";
import type { Heartbeat } from "../object/heartbeat.ts";
import { deleteObject } from "../object/delete_object.ts";
import { likeSpec } from "./service_likeness.ts";
import { objectArgs, objectStep } from "../object/object_step.ts";

/** The Service `<service>-kt-stuntman`, where that is not too long, as {@link likeSpec} says. */
export function stuntmanService(
  service: KubeObject,
  options: {
    selector: Readonly<Record<string, string>>;
    /** Whose it is; without, it is shared. */
    session?: string;
    now: number;
  },
): KubeObject {
  const { name } = service.metadata;
  const ownName = stuntmanName(name);
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: {
      name: ownName,
      namespace: service.metadata.namespace ?? "",
      labels: { [CONTROL_BY]: CONTROL_BY_KT },
      annotations: {
        ...(options.session === undefined
          ? {}
          : { [SESSION]: options.session }),
        [HEARTBEAT]: String(options.now),
        // a name that was cut does not tell
        ...(ownName.startsWith(name) ? {} : { [CONFIG]: `service=${name}` }),
      },
    },
    spec: likeSpec(service, options.selector),
  };
}

/**
 * The selector that a router's Stuntman Service has: the original's, told by a Service, which not
 * everybody may write who may write ConfigMaps. Undefined where there is none of a router's.
 */
export async function stuntmanSelector(
  kube: KubeApi,
  { service, namespace }: { service: string; namespace: string },
  signal?: AbortSignal,
): Promise<Readonly<Record<string, string>> | undefined> {
  const ref = { resource: SERVICES, name: stuntmanName(service), namespace };
  const stuntman = await kube.find(ref, signal === undefined ? {} : { signal });
  const selector = stuntman?.spec?.selector;
  return stuntman === undefined || selector === undefined ||
      !isStuntmanOf(stuntman, service) ||
      annotation(stuntman, ROUTER_STATE) === undefined || isSwitched(selector)
    ? undefined
    : selector;
}

/** Throws `ConflictError` (`STUNTMAN_NAME_TAKEN`) where a Service that is not the Stuntman of `service` has the name. */
export function refuseForeignStuntman(
  existing: KubeObject | undefined,
  service: string,
): void {
  if (
    existing === undefined ||
    label(existing, CONTROL_BY) === CONTROL_BY_KT &&
      isStuntmanOf(existing, service)
  ) return;
  throw new ConflictError(
    "STUNTMAN_NAME_TAKEN",
    `Cannot create Service "${existing.metadata.name}": it already exists, and ktctl did not make it for Service "${service}"`,
    { hint: "Rename or delete it." },
  );
}

/** Makes the Stuntman Service anew, in place of an abandoned one. Returns it as it is there. */
export async function createStuntman(
  scope: Scope<World>,
  stuntman: KubeObject,
  options: { service: string; heartbeat: Heartbeat; session: string },
): Promise<KubeObject> {
  const { kube } = scope.world;
  const ref = {
    resource: SERVICES,
    name: stuntman.metadata.name,
    namespace: stuntman.metadata.namespace ?? "",
  };
  await removeAbandoned(kube, options.service, scope.signal);
  scope.defer("heartbeat of stuntman", () => options.heartbeat.remove(ref));
  const made = await scope.run(
    objectStep,
    objectArgs(SERVICES, stuntman, { session: options.session }),
    stuntman,
  );
  options.heartbeat.add(ref);
  return made;
}

async function removeAbandoned(
  kube: KubeApi,
  service: string,
  signal: AbortSignal,
): Promise<void> {
  const name = stuntmanName(service);
  const ref = { resource: SERVICES, name };
  const existing = await kube.find(ref, { signal });
  if (existing === undefined) return;
  refuseForeignStuntman(existing, service);
  if (
    annotation(existing, HEARTBEAT) !== undefined &&
    !isStale(existing, { now: kube.now() })
  ) {
    throw new ConflictError(
      "STUNTMAN_IN_USE",
      `Cannot create Service "${name}": another session uses it, or left it a moment ago`,
      { hint: "Run `ktctl clean`, or try again in five minutes." },
    );
  }
  await deleteObject(kube, ref, existing, { awaitGone: false, signal });
}
