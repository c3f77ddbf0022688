import { annotation, SESSION } from "../../kube/contract.ts";
import type { Repair } from "./repair.ts";
import type { SweptStep } from "./sweep_journals.ts";

/**
 * Whether a repair repeats what the sweep of this laptop's journals does before it: in a dry run both
 * see the same state.
 */
export function isSweptAlready(
  repair: Repair,
  swept: readonly SweptStep[],
): boolean {
  const has = (step: string, field: string, name: string) =>
    swept.some((one) =>
      one.step === step && (one.args as Record<string, unknown>)[field] === name
    );
  switch (repair.kind) {
    case "delete": {
      const session = annotation(repair.object, SESSION);
      return swept.some((one) => one.session === session);
    }
    case "restore-selector":
      return has("service.selector", "service", repair.service.metadata.name);
    case "restore-replicas":
    case "forget-replicas": {
      const { name } = repair.deployment.metadata;
      return has("deployment.replicas", "deployment", name);
    }
    case "unlock":
      return has("service.lock", "service", repair.service.metadata.name);
    case "leave-router":
      return repair.sessions.every((session) =>
        swept.some((one) => one.session === session && one.step === "mesh.join")
      );
    case "leave-share":
      return repair.sessions.every((session) =>
        swept.some((one) =>
          one.session === session && one.step === "connect.share"
        )
      );
    case "release":
      return false;
  }
}
