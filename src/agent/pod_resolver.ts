import { LinkError } from "../core/errors.ts";
import { NameServers } from "../core/dns/name_servers.ts";
import { readQuestion } from "../core/dns/read_question.ts";
import { parseResolvConf, type ResolvConf } from "../core/dns/resolv_conf.ts";

/** The pod's name servers, asked for the client. */
export interface PodResolver extends ResolvConf {
  /**
   * One query, raw, and the answer as the pod's name server gave it, under the query's id: whole
   * also where the name server had to truncate it for UDP.
   *
   * @throws {LinkError} `DNS_QUERY_INVALID`, `DNS_NO_SERVER` or `DNS_NO_ANSWER`.
   */
  resolve(query: Uint8Array, signal?: AbortSignal): Promise<Uint8Array>;
}

/** Below the patience of a client, which is to get an error rather than nothing. */
const TIMEOUT_MS = 4000;

/** @param text Of the pod's `/etc/resolv.conf`. */
export function createPodResolver(
  text: string,
  options: { port?: number } = {},
): PodResolver {
  const config = parseResolvConf(text);
  const servers = new NameServers(
    config.nameservers.map((host) => ({ host, ...options })),
  );
  return {
    ...config,
    resolve(query, signal) {
      if (readQuestion(query) === undefined) {
        return Promise.reject(
          new LinkError("DNS_QUERY_INVALID", "The query has no question"),
        );
      }
      return servers.ask(query, {
        timeoutMs: TIMEOUT_MS,
        ...(signal && { signal }),
      });
    },
  };
}
