import { messageOf } from "../../core/errors.ts";

/** What a stream says that was used after its other end, or our own code, had closed it: Node's codes and ssh2's words. */
const CLOSED_CODES: ReadonlySet<unknown> = new Set([
  "ERR_STREAM_DESTROYED",
  "ERR_STREAM_WRITE_AFTER_END",
  "ERR_STREAM_PREMATURE_CLOSE",
  "ERR_STREAM_ALREADY_FINISHED",
  "ERR_SOCKET_CLOSED",
  "ECONNABORTED",
  "ECONNRESET",
  "EPIPE",
]);
const CLOSED_MESSAGES: ReadonlySet<string> = new Set([
  "Connection lost before handshake",
  "Not connected",
]);

/** Why a connection to the agent is gone, in words for the user. */
export function linkReason(error: Error | null | undefined): string {
  const isClosed = error === undefined || error === null ||
    CLOSED_CODES.has((error as NodeJS.ErrnoException).code) ||
    CLOSED_MESSAGES.has(error.message);
  return isClosed ? "the connection was closed" : messageOf(error);
}
