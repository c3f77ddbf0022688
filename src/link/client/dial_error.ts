import { LinkError } from "../../core/errors.ts";
import { linkReason } from "./link_reason.ts";

/** What the agent's answer to a dial means. Its description starts with the system's error code. */
export function dialError(target: string, error: unknown): LinkError {
  const text = linkReason(error as Error).replace(
    "(SSH) Channel open failure: ",
    "",
  );
  const systemCode = /^([A-Z_]+): /.exec(text)?.[1] ?? "";
  const [code, reason] = MEANINGS[systemCode] ??
    ["DIAL_FAILED", text || "no reason given"];
  return new LinkError(
    code,
    `Cannot connect to "${target}" from the pod: ${reason}`,
    {
      cause: error,
    },
  );
}

const MEANINGS: Readonly<
  Record<string, readonly [code: string, reason: string]>
> = {
  ECONNREFUSED: ["DIAL_REFUSED", "connection refused"],
  ETIMEDOUT: ["DIAL_TIMEOUT", "no answer in time"],
  ENOTFOUND: ["DIAL_NAME_UNKNOWN", "no such name"],
  EAI_AGAIN: ["DIAL_NAME_UNKNOWN", "the pod's resolver does not answer"],
  EACCES: ["DIAL_UNREACHABLE", "forbidden on its node"],
  EPERM: ["DIAL_UNREACHABLE", "forbidden on its node"],
  EHOSTUNREACH: ["DIAL_UNREACHABLE", "no route to the host"],
  ENETUNREACH: ["DIAL_UNREACHABLE", "no route to the network"],
};
