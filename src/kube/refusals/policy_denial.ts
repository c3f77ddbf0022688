import { ClusterError, type Remedy } from "../../core/errors.ts";
import type { CallSubject } from "../call_subject.ts";
import { quotaRemedy } from "./quota_remedy.ts";

/**
 * How policies say no: webhooks (Gatekeeper, Kyverno), those of the API server itself, which may change
 * what they admit, and PodSecurity. The HTTP code is of the policy's choosing: a ValidatingAdmissionPolicy's is 422 unless it says another.
 */
const DENIAL =
  /admission webhook|policy '.*denied request|violates PodSecurity|pod security policy|denied the request/i;

/** What a policy may ask for by words of its own, and what gives it. */
const REMEDIES: readonly [words: RegExp, gives: Remedy[], podsOnly?: true][] = [
  [/\blabels?\b/i, ["labels"]],
  [/\bannotations?\b/i, ["annotations"]],
  [
    /\b(limits?|requests?|resources|cpu|memory|ephemeral-storage)\b/i,
    ["pod-quota"],
    true,
  ],
  [
    /\b(images?|registr(y|ies)|tags?|digests?)\b/i,
    ["image", "router-image"],
    true,
  ],
  [/image ?pull ?secrets?/i, ["image-pull-secret"], true],
  [/service ?accounts?\b/i, ["service-account"], true],
  [/node ?selectors?\b/i, ["node-selector"], true],
  [/\btolerations?\b/i, ["tolerations"], true],
];

/** Undefined where no policy speaks. Its name is in its message. */
export function policyDenial(
  message: string,
  what: string,
  subject: CallSubject,
): ClusterError | undefined {
  if (!DENIAL.test(message)) return undefined;
  const remedies = remediesFor(message, subject);
  const exception = "ask the cluster's administrators for an exception";
  return new ClusterError("ADMISSION_DENIED", what + message, {
    hint: remedies.length === 0
      ? `A policy of the cluster refuses this: ${exception}.`
      : `Provide what the policy asks for, or ${exception}.`,
    remedies,
  });
}

/** By those that shape what we make: what is there already is not ours to change for a policy. */
function remediesFor(
  message: string,
  { action, resource }: CallSubject,
): Remedy[] {
  if (action !== "create" || /violates PodSecurity/.test(message)) return [];
  const hasPods = ["Pod", "Deployment"].includes(resource?.kind ?? "");
  // "denied the request" asks for none
  const words = message.replace(/^.*?denied (the )?request/i, "");
  return REMEDIES.filter(([asked, , podsOnly]) =>
    (hasPods || !podsOnly) && asked.test(words)
  ).flatMap(([, gives]) => gives)
    .map((one) => one === "pod-quota" ? quotaRemedy(words) : one);
}
