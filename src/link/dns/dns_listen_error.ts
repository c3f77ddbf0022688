import {
  ConflictError,
  type KtctlError,
  messageOf,
  PermissionError,
} from "../../core/errors.ts";

/** Why a DNS server cannot listen at an `address:port`. */
export function dnsListenError(error: unknown, at: string): KtctlError {
  const { code } = error as { code?: string };
  if (code === "EADDRINUSE") {
    return new ConflictError(
      "DNS_PORT_TAKEN",
      `Cannot serve DNS at "${at}": the port is taken`,
      {
        hint: "Another name server has it: stop that one.",
        cause: error,
      },
    );
  }
  return new PermissionError(
    "DNS_PORT_DENIED",
    `Cannot serve DNS at "${at}": ${messageOf(error)}`,
    { cause: error },
  );
}
