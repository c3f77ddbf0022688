import type { Finding } from "../../core/doctor/doctor_check.ts";
import { KtctlError } from "../../core/errors.ts";
import type { Scope } from "../../undo/scope.ts";
import { labelSelector, TARGET } from "../../kube/annotations.ts";
import { PODS } from "../../kube/resources.ts";
import type { World } from "../../kube/world.ts";
import { objectArgs, objectStep } from "../object/object_step.ts";
import type { PodOptions } from "../pod/pod_options.ts";
import { awaitPod, isRunning } from "../pod/pod_ready.ts";
import { type ProbedImage, probePod } from "./probe_pod.ts";

export interface PullOptions {
  readonly session: string;
  readonly user: string;
  readonly pod: PodOptions;
  readonly timeoutMs: number;
}

/** Starts a pod of the image, which the scope takes back. */
export async function pullImage(
  scope: Scope<World>,
  image: ProbedImage,
  { timeoutMs, ...options }: PullOptions,
): Promise<Finding> {
  const { world: { kube }, signal } = scope;
  const { namespace } = kube;
  const made = { ...options, namespace, now: kube.now() };
  const object = probePod(image, made);
  const { labels: { [TARGET]: target = "" } = {} } = object.metadata;
  const startedAt = performance.now();
  try {
    const { session } = options;
    const args = objectArgs(PODS, object, { session, awaitGone: true });
    await scope.run(objectStep, args, object);
    const { spec } = await awaitPod(kube, {
      namespace,
      labelSelector: labelSelector({ [TARGET]: target }),
      timeoutMs,
      signal,
      until: isRunning,
    });
    const seconds = Math.round((performance.now() - startedAt) / 100) / 10;
    const node = typeof spec?.nodeName === "string" ? spec.nodeName : null;
    return {
      state: "good",
      message:
        `the ${image.of}'s image ${image.image} runs after ${seconds} s, on node "${node}"`,
      facts: { image: image.image, seconds, node },
    };
  } catch (error) {
    if (signal.aborted || !(error instanceof KtctlError)) throw error;
    return {
      state: "bad",
      message:
        `no pod of the ${image.of}'s image ${image.image} runs: ${error.message}`,
      cause: error,
      facts: {
        image: image.image,
        code: error.code,
        details: [...error.details],
      },
    };
  }
}
