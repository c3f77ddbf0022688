import type { Remedy } from "../../core/errors.ts";

/** By which of the options a pod gets what a message about requests and limits asks for. */
export function quotaRemedy(message: string): Remedy {
  return message.includes("ephemeral-storage")
    ? "pod-quota-storage"
    : "pod-quota";
}
