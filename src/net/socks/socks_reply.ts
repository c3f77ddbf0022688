import { LinkError } from "../../core/errors.ts";
import { formatSocksAddress, type SocksAddress } from "./socks_address.ts";

/** RFC 1928, section 6. */
export const Reply = {
  done: 0,
  failed: 1,
  networkUnreachable: 3,
  hostUnreachable: 4,
  refused: 5,
  timedOut: 6,
  commandUnknown: 7,
  addressTypeUnknown: 8,
} as const;

const UNBOUND: SocksAddress = { host: "0.0.0.0", port: 0 };

export function formatReply(code: number, bound = UNBOUND): Uint8Array {
  return Uint8Array.from([5, code, 0, ...formatSocksAddress(bound)]);
}

const CODES: Readonly<Record<string, number>> = {
  DIAL_REFUSED: Reply.refused,
  DIAL_NAME_UNKNOWN: Reply.hostUnreachable,
  DIAL_UNREACHABLE: Reply.hostUnreachable,
  DIAL_TIMEOUT: Reply.timedOut,
  DIAL_FAILED: Reply.failed,
};

/** What a failed `ClusterLink.dial` is to a client. Where the link is down, its network is. */
export function replyOf(error: unknown): number {
  if (!(error instanceof LinkError)) return Reply.failed;
  return CODES[error.code] ?? Reply.networkUnreachable;
}
