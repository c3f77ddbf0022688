import type { Opened } from "./opened.ts";
import { readFile } from "node:fs/promises";
import { dial } from "../wire/dial.ts";
import { relay } from "../wire/relay.ts";
import { parseResolvConf } from "../dns/parse_resolv_conf.ts";
import type { ResolvConf } from "../wire/resolv_conf.ts";
import { parseServiceHost } from "../wire/service_host.ts";
import type { AgentConfig } from "./agent_config.ts";
import { openDatagrams } from "./datagram_service.ts";
import { openDns } from "./dns_service.ts";
import { probeHost } from "./probe_host.ts";

/** How long a TCP connection that the client asks for may take. */
const DIAL_TIMEOUT_MS = 15_000;
const DATAGRAM_IDLE_MS = 60_000;

/** Opens what the client names: a TCP connection, or one of the services of `ServiceHost`. */
export class LinkServices {
  readonly #resolvConfFile: string;
  readonly #datagramIdleMs: number;

  constructor(
    options: Pick<AgentConfig, "resolvConfFile" | "datagramIdleMs">,
  ) {
    this.#resolvConfFile = options.resolvConfFile ?? "/etc/resolv.conf";
    this.#datagramIdleMs = options.datagramIdleMs ?? DATAGRAM_IDLE_MS;
  }

  /** @throws {LinkError} its code is the system's, e.g. `ECONNREFUSED`. */
  async open(
    { host, port }: { host: string; port: number },
    signal: AbortSignal,
  ): Promise<Opened> {
    const target = parseServiceHost(host);
    switch (target?.service) {
      case undefined:
        return await openTcp({ host, port, signal });
      case "udp": {
        const idleMs = this.#datagramIdleMs;
        return await openDatagrams({ host: target.host, port, idleMs });
      }
      case "dns":
        return openDns(await this.#resolvConf());
      case "resolver":
        return lastWords(JSON.stringify(await this.#resolvConf()));
      case "reach":
        await probeHost(target.host, signal);
        return lastWords("");
    }
  }

  async #resolvConf(): Promise<ResolvConf> {
    return parseResolvConf(await readFile(this.#resolvConfFile, "utf8"));
  }
}

async function openTcp(
  target: { host: string; port: number; signal: AbortSignal },
): Promise<Opened> {
  const socket = await dial({ ...target, timeoutMs: DIAL_TIMEOUT_MS });
  return {
    serve: (stream) => void relay(socket, stream),
    [Symbol.dispose]: () => socket.destroy(),
  };
}

function lastWords(text: string): Opened {
  return {
    serve: (stream) => void stream.resume().end(text),
    [Symbol.dispose]() {},
  };
}
