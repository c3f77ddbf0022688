import { ClusterError } from "../core/errors.ts";
import type { CallSubject } from "./call_subject.ts";

/**
 * How policies say no: webhooks (Gatekeeper, Kyverno), those of the API server itself, which may change
 * what they admit, and PodSecurity. The HTTP code is of the policy's choosing: a ValidatingAdmissionPolicy's is 422 unless it says another.
 */
const DENIAL =
  /admission webhook|policy '.*denied request|violates PodSecurity|pod security policy|denied the request/i;

/** What a policy may ask for by words of its own, and the option that gives it. */
const OPTIONS: readonly [words: RegExp, option: string, podsOnly?: true][] = [
  [/\blabels?\b/i, "--withLabel key=value"],
  [/\bannotations?\b/i, "--withAnnotation key=value"],
  [
    /\b(limits?|requests?|resources|cpu|memory)\b/i,
    "--podQuota, such as `--podQuota 0.5c,512m`",
    true,
  ],
  [
    /\b(images?|registr(y|ies)|tags?|digests?)\b/i,
    "--image (--routerImage for a Router Pod)",
    true,
  ],
  [/image ?pull ?secrets?/i, "--imagePullSecret", true],
  [/service ?accounts?\b/i, "--serviceAccount", true],
  [/node ?selectors?\b/i, "--nodeSelector", true],
  [/\btolerations?\b/i, "--toleration", true],
];

/** Undefined where no policy speaks. Its name is in its message. */
export function policyDenial(
  message: string,
  what: string,
  subject: CallSubject,
): ClusterError | undefined {
  if (!DENIAL.test(message)) return undefined;
  const options = optionsFor(message, subject);
  const exception = "ask the cluster's administrators for an exception";
  return new ClusterError("ADMISSION_DENIED", what + message, {
    hint: options.length === 0
      ? `A policy of the cluster refuses this; ${exception}.`
      : `Provide what the policy asks for with ${
        options.join(" or ")
      }; else ${exception}.`,
  });
}

/** By those that shape what we make: what is there already is not ours to change for a policy. */
function optionsFor(
  message: string,
  { action, resource }: CallSubject,
): string[] {
  if (action !== "create" || /violates PodSecurity/.test(message)) return [];
  const hasPods = ["Pod", "Deployment"].includes(resource?.kind ?? "");
  // "denied the request" asks for none
  const words = message.replace(/^.*?denied (the )?request/i, "");
  return OPTIONS.filter(([asked, , podsOnly]) =>
    (hasPods || !podsOnly) && asked.test(words)
  ).map(([, option]) => option);
}
