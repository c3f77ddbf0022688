import type { KubeApi } from "../../kube/kube_api.ts";
import { runSession } from "../session/session.ts";

/** What a session runs in: {@link runSession}, or for a dry run what plans it. */
export async function sessionFrame(
  kube: Pick<KubeApi, "isPlan">,
): Promise<typeof runSession> {
  if (!kube.isPlan) return runSession;
  return (await import("./plan_session.ts")).planSession;
}
