import { annotation, SESSION } from "../../kube/contract.ts";
import type { KubeObject } from "../../kube/kube_api.ts";
import { holdsService } from "../service/holds_service.ts";
import type { Repair } from "./repair.ts";
import { scaleShadows } from "./replica_repair.ts";
import { belongsTo } from "../router/router_state.ts";
import { readScaleRecord } from "../scale/scale_record.ts";

/**
 * Which of the objects must stay, as something could not be restored that they serve until it is, or
 * that they have the only copy of: with all that their session made, or that has their name.
 */
export function keptObjects(
  failed: readonly Repair[],
  objects: readonly KubeObject[],
): Set<KubeObject> {
  const serving = objects.filter((object) =>
    failed.some((repair) => serves(object, repair))
  );
  const names = new Set(serving.map(({ metadata }) => metadata.name));
  const sessions = new Set(
    serving.flatMap((object) => annotation(object, SESSION) ?? []),
  );
  return new Set(objects.filter((object) => {
    const session = annotation(object, SESSION);
    return names.has(object.metadata.name) ||
      session !== undefined && sessions.has(session);
  }));
}

function serves(object: KubeObject, repair: Repair): boolean {
  switch (repair.kind) {
    case "restore-selector":
      return holdsService(object, repair.service);
    case "restore-replicas":
      return scaleShadows(repair.deployment, [object]).length > 0 ||
        readScaleRecord(object)?.deployment ===
          repair.deployment.metadata.name;
    case "leave-router": {
      const { router } = repair;
      const session = annotation(object, SESSION);
      return belongsTo(object, router) ||
        router.participants.some((one) => one.session === session);
    }
    case "release":
      return object.metadata.uid === repair.pod.metadata.uid;
    default:
      return false;
  }
}
