import { KtctlError } from "../../core/errors.ts";
import type { Finding } from "../../core/doctor/doctor_check.ts";
import { randomLower } from "../../core/random_name.ts";
import { PODS } from "../../kube/resources.ts";
import type { ClusterCheck, ClusterSubject } from "./cluster_subject.ts";
import { type ProbedImage, probedImages, probePod } from "./probe_pod.ts";

/** Whether rights, quotas and policies would let ktctl's pods be made: the server is asked, and makes none. */
export const ADMISSION_CHECK: ClusterCheck = {
  name: "admission",
  title: "Admission of pods",
  async look(subject, signal) {
    const images = probedImages(subject.pod);
    return await Promise.all(
      images.map((image) => askFor(image, subject, signal)),
    );
  },
};

async function askFor(
  image: ProbedImage,
  { kube, user, pod }: ClusterSubject,
  signal: AbortSignal,
): Promise<Finding> {
  const { namespace } = kube;
  const session = randomLower(10);
  const now = kube.now();
  const object = probePod(image, { namespace, session, user, pod, now });
  const facts = { image: image.image };
  try {
    await kube.create(PODS, object, { signal, dryRun: true });
  } catch (error) {
    if (!(error instanceof KtctlError) || !VERDICTS.includes(error.code)) {
      throw error;
    }
    return {
      state: error.code === "RBAC_FORBIDDEN" ? "warning" : "bad",
      message: `a ${image.of} would be refused: ${error.message}`,
      cause: error,
      facts: { ...facts, code: error.code },
    };
  }
  return {
    state: "good",
    message: `a ${image.of} (${image.image}) would be taken`,
    facts,
  };
}

/** Of the server's refusals those that are of the pod, and not of the question. */
const VERDICTS = [
  "RBAC_FORBIDDEN",
  "QUOTA_EXCEEDED",
  "ADMISSION_DENIED",
  "INVALID_OBJECT",
  "SERVICE_ACCOUNT_NOT_FOUND",
  "NAMESPACE_TERMINATING",
  "NAMESPACE_NOT_FOUND",
];
