import { retry } from "../../core/retry.ts";
import { KtctlError, PermissionError } from "../../core/errors.ts";
import type { Report } from "../../core/report.ts";
import type { KubeApi, KubeObject } from "../../kube/kube_api.ts";
import { SERVICES } from "../../kube/resources.ts";
import { tellPassing } from "../object/tell_passing.ts";
import { isMarked } from "./service_selector.ts";
import { refuseForeignStuntman } from "./stuntman.ts";

/**
 * Makes a session's Stuntman Service again when somebody deletes it (a prune, say): as it was last, and
 * under the same address, at which the agent asks for it. The step that made it takes the new one back, too.
 * What belonged to it, such as the keeper of the Shadow Pod, goes with it and is made anew with that pod.
 * Where watching Services is forbidden it does without.
 *
 * Throws `ConflictError` (`STUNTMAN_NAME_TAKEN`).
 *
 * @param made As the API server has made it.
 * @param options.service Whose Stuntman Service it is.
 */
export async function keepStuntman(
  kube: KubeApi,
  made: KubeObject,
  { service, log, signal }: {
    service: string;
    log: Pick<Report, "debug" | "warn">;
    signal: AbortSignal;
  },
): Promise<void> {
  const { name, namespace = kube.namespace } = made.metadata;
  const watch = kube.watch(SERVICES, {
    namespace,
    fieldSelector: `metadata.name=${name}`,
    signal,
    isPatient: true,
  });
  let last = made;
  let isThere = false;
  try {
    for await (const event of watch) {
      if (event.type === "SYNCED") {
        if (!isThere) await again();
      } else if (event.type === "DELETED") await again();
      else {
        isThere = true;
        last = event.object;
      }
    }
  } catch (error) {
    if (!(error instanceof PermissionError)) throw error;
    log.debug(`Cannot look after Service "${name}": ${error.message}`);
  }

  async function again(): Promise<void> {
    if (signal.aborted) return;
    const isPassing = tellPassing(log, `make Service "${name}" again`);
    const isMade = await retry(
      () => makeAgain(kube, last, { service, namespace, signal }),
      { signal, isPassing },
    );
    if (!isMade) return;
    log.warn(
      "STUNTMAN_DELETED",
      `Somebody deleted Service "${name}", by which the original pods answer where this laptop does not: made it again. What keeps the Shadow Pod goes with it, and is made anew with that pod`,
    );
  }
}

/** False where nobody needs it any more: whoever takes a Service back gives it its selector first. */
async function makeAgain(
  kube: KubeApi,
  { metadata, spec }: KubeObject,
  { service, namespace, signal }: {
    service: string;
    namespace: string;
    signal: AbortSignal;
  },
): Promise<boolean> {
  const ref = { resource: SERVICES, name: service, namespace };
  const taken = await kube.find(ref, { signal });
  const isTaken = taken !== undefined && isMarked(taken);
  if (!isTaken) return false;
  const { name, labels = {}, annotations = {} } = metadata;
  try {
    // without the signal: the server might carry it out after all was taken back
    await kube.create(SERVICES, {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name, namespace, labels, annotations },
      spec,
    });
    return true;
  } catch (error) {
    const isThere = error instanceof KtctlError &&
      error.code === "ALREADY_EXISTS";
    if (!isThere) throw error;
    const existing = await kube.find({ ...ref, name }, { signal });
    refuseForeignStuntman(existing, service);
    return false;
  }
}
