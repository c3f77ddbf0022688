// A shared Shadow Pod, as it is in the cluster: for the tests of planning.
import type { NamespaceState } from "../../../src/kube/cluster_step.ts";
import { DEFAULT_POD } from "../../../src/cluster/pod/pod_options.ts";
import { agentConfig } from "../../../src/cluster/shadow/pod_ports.ts";
import type {
  Sharer,
  ShareState,
} from "../../../src/cluster/share/share_state.ts";
import { shareAnnotations } from "../../../src/cluster/share/share_store.ts";
import { SHARE_NAME } from "../../../src/kube/annotations.ts";
import { made, NOW } from "./leftovers.ts";

export function share(part: Partial<ShareState> = {}): ShareState {
  return {
    target: "ShAre",
    user: "alice",
    pod: { ...DEFAULT_POD, image: "denoland/deno:1" },
    agent: agentConfig([], { ready: "always" }),
    sharers: [],
    ...part,
  };
}

/** One who gave the last sign of life so many seconds ago. */
export function sharer(session: string, ago: number): Sharer {
  return {
    session,
    user: `user ${session}`,
    since: NOW - 9999,
    beat: NOW - ago,
  };
}

/** All objects of it. */
export function shareObjects(
  state: ShareState,
): Pick<NamespaceState, "pods" | "configMaps" | "secrets"> {
  const annotations = { "ktctl.dev/shared": "1" };
  const object = (kind: string, more: Record<string, string> = {}) =>
    made(kind, SHARE_NAME, {
      heartbeat: shareAnnotations(state)["kt-last-heart-beat"] ?? "0",
      role: "shadow-connect",
      target: state.target,
      annotations: { ...annotations, ...more },
    });
  return {
    pods: [object("Pod")],
    configMaps: [object("ConfigMap")],
    secrets: [object("Secret", shareAnnotations(state))],
  };
}
