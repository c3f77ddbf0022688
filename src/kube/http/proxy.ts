/** The way through a proxy, HTTP or SOCKS5, where the kubeconfig or the environment asks for one. */
import type { TunnelTarget } from "./tunnel_target.ts";
import * as http from "node:http";
import * as https from "node:https";
import type { Socket } from "node:net";
import { hostPort } from "../../core/host_port.ts";
import {
  ClusterError,
  messageOf,
  UnsupportedError,
} from "../../core/errors.ts";
import type { KubeCluster } from "../kubeconfig/kube_target.ts";
import { isBypassed } from "./no_proxy.ts";
import { proxyText } from "./proxy_text.ts";
import { openSocksTunnel } from "./socks_tunnel.ts";

/** How long a proxy may take to answer. */
const PROXY_TIMEOUT_MS = 20_000;

/**
 * The proxy to use: the cluster's own, else what the environment says, as Go programs read it.
 *
 * @throws {UnsupportedError} `PROXY_UNSUPPORTED` for one that is neither HTTP nor SOCKS5.
 */
export function proxyFor(
  server: URL,
  cluster: Pick<KubeCluster, "proxyUrl">,
  env: Readonly<Record<string, string | undefined>>,
): URL | undefined {
  const read = (name: string) => env[name] || env[name.toLowerCase()];
  const wanted = cluster.proxyUrl ||
    (isBypassed(server, read("NO_PROXY")) ? undefined : read(
      server.protocol === "https:" ? "HTTPS_PROXY" : "HTTP_PROXY",
    ));
  if (!wanted) return undefined;
  const text = wanted.includes("://") ? wanted : `http://${wanted}`;
  const url = URL.parse(text);
  if (url === null || !/^(https?|socks5h?):$/.test(url.protocol)) {
    throw new UnsupportedError(
      "PROXY_UNSUPPORTED",
      `Cannot reach the API server through the proxy "${
        proxyText(wanted)
      }": only http, https, socks5 and socks5h proxies are supported`,
    );
  }
  return url;
}

/**
 * A TCP connection to `target`, by CONNECT or SOCKS5.
 *
 * @throws {ClusterError} `CLUSTER_UNREACHABLE`, naming the proxy.
 */
export async function openTunnel(
  proxy: URL,
  target: TunnelTarget,
): Promise<Socket> {
  try {
    return proxy.protocol.startsWith("socks")
      ? await openSocksTunnel(proxy, target, PROXY_TIMEOUT_MS)
      : await openHttpTunnel(proxy, hostPort(target.host, target.port));
  } catch (cause) {
    throw new ClusterError(
      "CLUSTER_UNREACHABLE",
      `Cannot reach the API server through the proxy "${proxy.host}": ${
        messageOf(cause)
      }`,
      { cause, hint: "Check proxy-url in the kubeconfig, or HTTPS_PROXY." },
    );
  }
}

function openHttpTunnel(proxy: URL, target: string): Promise<Socket> {
  const secure = proxy.protocol === "https:";
  const { promise, resolve, reject } = Promise.withResolvers<Socket>();
  const fail = (reason: string) => reject(new Error(reason));
  const request = (secure ? https : http).request({
    method: "CONNECT",
    host: proxy.hostname.replace(/^\[|\]$/g, ""),
    port: proxy.port || (secure ? 443 : 80),
    path: target,
    headers: { host: target, ...proxyAuthorization(proxy) },
    agent: false,
    timeout: PROXY_TIMEOUT_MS,
  });
  request.once("connect", (response, socket) => {
    if (response.statusCode === 200) return resolve(socket as Socket);
    socket.destroy();
    fail(`it answered ${response.statusCode} ${response.statusMessage}`);
  });
  request.once("response", (response) => {
    response.destroy();
    fail(`it answered ${response.statusCode} ${response.statusMessage}`);
  });
  request.once("timeout", () => {
    fail("it did not answer in time");
    request.destroy();
  });
  request.once("error", reject);
  request.end();
  return promise;
}

function proxyAuthorization(proxy: URL): Record<string, string> {
  if (!proxy.username) return {};
  const plain = decodeURIComponent(`${proxy.username}:${proxy.password}`);
  const secret = new TextEncoder().encode(plain).toBase64();
  return { "proxy-authorization": `Basic ${secret}` };
}
