/** Looks after a Service of this session's own for as long as the command runs. */
import { tellPassing } from "../../cluster/object/tell_passing.ts";
import { retry } from "../../core/retry.ts";
import {
  ConflictError,
  KtctlError,
  PermissionError,
} from "../../core/errors.ts";
import { annotation, HEARTBEAT, SESSION } from "../../kube/annotations.ts";
import type { KubeApi, KubeObject, WatchEvent } from "../../kube/kube_api.ts";
import { SERVICES } from "../../kube/resources.ts";
import type { PluginLog } from "../plugin.ts";

/**
 * Makes the Service again when somebody deletes it, and tells of its external address when a load
 * balancer gives it one. The step that made it takes it back by its name, the new one as well.
 * Where watching Services is forbidden it does without.
 * Throws `ConflictError` (`SERVICE_TAKEN`) where somebody else has the name by then.
 *
 * @param options.isWanted Asked before that: whoever ends the session in this laptop's place deletes it as well.
 */
export async function reconcileService(
  { kube, log, service, isWanted = () => Promise.resolve(true) }: {
    kube: KubeApi;
    log: PluginLog;
    service: KubeObject;
    isWanted?: (signal: AbortSignal) => Promise<boolean>;
  },
  signal: AbortSignal,
): Promise<void> {
  const { name } = service.metadata;
  const options = { log, isWanted, signal };
  const watch = kube.watch(SERVICES, {
    namespace: service.metadata.namespace ?? kube.namespace,
    fieldSelector: `metadata.name=${name}`,
    signal,
    isPatient: true,
  });
  let told: string | undefined;
  let isThere = false;
  try {
    for await (const event of watch) await take(event);
  } catch (error) {
    if (!(error instanceof PermissionError)) throw error;
    log.debug(`Cannot look after Service "${name}": ${error.message}`);
  }

  async function take(event: WatchEvent): Promise<void> {
    if (event.type === "SYNCED" ? !isThere : event.type === "DELETED") {
      if (signal.aborted || !await makeAgain(kube, service, options)) return;
      log.warn(
        "SERVICE_DELETED",
        `Somebody deleted Service "${name}": created it again`,
      );
      return;
    }
    if (event.type === "SYNCED") return;
    isThere = true;
    const address = externalAddress(event.object);
    if (address === undefined || address === told) return;
    told = address;
    log.info(`Service "${name}" has the external address ${address}`);
  }
}

function externalAddress({ status }: KubeObject): string | undefined {
  const [first] = status?.loadBalancer?.ingress ?? [];
  return first?.ip ?? first?.hostname;
}

/** False where nobody wants it any more. The API server may be away at just this moment. */
async function makeAgain(
  kube: KubeApi,
  service: KubeObject,
  { log, isWanted, signal }: {
    log: PluginLog;
    isWanted: (signal: AbortSignal) => Promise<boolean>;
    signal: AbortSignal;
  },
): Promise<boolean> {
  const canPass = tellPassing(log, "make the Service again");
  const isPassing = (error: unknown) =>
    !(error instanceof KtctlError && error.code === "INVALID_OBJECT") &&
    canPass(error);
  const make = async () => {
    if (!await isWanted(signal)) return false;
    await kube.create(SERVICES, beating(service, kube.now()));
    return true;
  };
  try {
    return await retry(make, { signal, isPassing });
  } catch (error) {
    if (!(error instanceof KtctlError)) throw error;
    if (error.code === "INVALID_OBJECT") throw lostAddress(service, error);
    if (error.code !== "ALREADY_EXISTS") throw error;
    const { name, namespace = kube.namespace } = service.metadata;
    const ref = { resource: SERVICES, name, namespace };
    const found = await kube.find(ref, { signal });
    // ours, by an attempt whose answer was lost; where it is gone again, an event tells of it
    const isOthers = found !== undefined &&
      annotation(found, SESSION) !== annotation(service, SESSION);
    if (isOthers) throw taken(name);
    return true;
  }
}

/** What was alive when the session began, and is so now. */
function beating(service: KubeObject, now: number): KubeObject {
  if (annotation(service, HEARTBEAT) === undefined) return service;
  const { annotations, ...metadata } = service.metadata;
  const beats = { ...annotations, [HEARTBEAT]: String(now) };
  return { ...service, metadata: { ...metadata, annotations: beats } };
}

function lostAddress({ metadata: { name } }: KubeObject, cause: KtctlError) {
  return new ConflictError(
    "SERVICE_TAKEN",
    `This session's Service "${name}" was deleted, and cannot be made again as it was: ${cause.message}`,
    { hint: "Start the command again.", cause },
  );
}

function taken(name: string): ConflictError {
  return new ConflictError(
    "SERVICE_TAKEN",
    `This session's Service "${name}" was deleted, and somebody created another one of that name`,
    { hint: "Choose another name, or with mesh another mark." },
  );
}
