import { LinkError } from "../../core/errors.ts";

/** Of either protocol: who answers is not the agent that this session made. */
export function hostKeyMismatch(cause?: unknown): LinkError {
  return new LinkError(
    "HOST_KEY_MISMATCH",
    "Agent showed another host key than this session made",
    {
      hint: "Something between this machine and the pod answers instead of it.",
      cause,
    },
  );
}
