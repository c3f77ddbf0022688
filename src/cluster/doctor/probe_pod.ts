import { randomLetters, randomLower } from "../../core/random_name.ts";
import {
  CONTROL_BY,
  CONTROL_BY_KT,
  HEARTBEAT,
  ROLE,
  SESSION,
  TARGET,
  USER,
} from "../../kube/annotations.ts";
import type { KubeObject } from "../../kube/kube_api.ts";
import type { PodOptions } from "../pod/pod_options.ts";
import { restrictedPod } from "../pod/restricted_pod.ts";
import { ROUTER_IMAGE } from "../pod/pod_options.ts";

export interface ProbedImage {
  /** `Shadow Pod`, `Router Pod`. */
  readonly of: string;
  readonly image: string;
  readonly uid: number;
  /** Runs until it is ended. */
  readonly command: readonly string[];
}

export function probedImages({ image }: PodOptions): ProbedImage[] {
  return [
    {
      of: "Shadow Pod",
      image,
      uid: 1000,
      command: ["deno", "eval", "setInterval(() => {}, 1e6)"],
    },
    {
      of: "Router Pod",
      image: ROUTER_IMAGE,
      uid: 99,
      command: ["sh", "-c", "sleep 600"],
    },
  ];
}

/** A pod of the same kind as ktctl's, that does nothing. `clean` takes it for one of its session. */
export function probePod(
  { image, uid, command }: ProbedImage,
  { namespace, session, user, pod, now }: {
    readonly namespace: string;
    readonly session: string;
    readonly user: string;
    readonly pod: PodOptions;
    readonly now: number;
  },
): KubeObject {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name: `kt-doctor-${randomLower(5)}`,
      namespace,
      labels: {
        [CONTROL_BY]: CONTROL_BY_KT,
        [ROLE]: "doctor",
        [TARGET]: randomLetters(20),
      },
      annotations: {
        [SESSION]: session,
        [USER]: user,
        [HEARTBEAT]: String(now),
      },
    },
    spec: restrictedPod(pod, {
      ...{ uid, image, command },
      gracePeriodSeconds: 0,
      unprivilegedPortStart: false,
      ports: [],
      statusPort: 2223,
      isProbed: false,
      volumes: [{ name: "tmp", mountPath: "/tmp", source: { emptyDir: {} } }],
    }),
  };
}
