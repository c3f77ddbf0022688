import type { Duplex } from "node:stream";
import { messageOf } from "../../core/errors.ts";
import { secureCarrier } from "../tls/secure_carrier.ts";
import { YamuxPodEnd } from "../yamux/yamux_pod_end.ts";
import type { AgentKeys } from "./agent_keys.ts";
import type { ServerOptions } from "./server_options.ts";
import { logLine } from "./log_line.ts";

/** Speaks TLS, and yamux inside it, with connections that are given to it. */
export function startTlsServer(
  { hostKey, authorizedKey }: AgentKeys,
  { loginTimeoutMs, onLogin }: ServerOptions,
): (carrier: Duplex) => void {
  return async (carrier) => {
    try {
      const secure = await secureCarrier(carrier, "pod", {
        privateKey: hostKey,
        peerPublicKey: authorizedKey,
        timeoutMs: loginTimeoutMs,
      });
      const end = new YamuxPodEnd(secure);
      onLogin(carrier, end, await end.login);
    } catch (error) {
      logLine(`client: ${messageOf(error)}`);
      carrier.destroy();
    }
  };
}
