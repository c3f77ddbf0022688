/** The way through an HTTP proxy, where the kubeconfig or the environment asks for one. */
import * as http from "node:http";
import * as https from "node:https";
import type { Socket } from "node:net";
import { ClusterError, messageOf, UnsupportedError } from "../core/errors.ts";
import type { KubeCluster } from "./kubeconfig.ts";

/** How long a proxy may take to answer. */
const PROXY_TIMEOUT_MS = 20_000;

/**
 * The proxy to use: the cluster's own, else what the environment says, as Go programs read it.
 *
 * @throws {UnsupportedError} `PROXY_UNSUPPORTED` for one that is neither http nor https.
 */
export function proxyFor(
  server: URL,
  cluster: Pick<KubeCluster, "proxyUrl">,
  env: Readonly<Record<string, string | undefined>>,
): URL | undefined {
  const read = (name: string) => env[name] || env[name.toLowerCase()];
  const wanted = cluster.proxyUrl ||
    (bypassed(server, read("NO_PROXY")) ? undefined : read(
      server.protocol === "https:" ? "HTTPS_PROXY" : "HTTP_PROXY",
    ));
  if (!wanted) return undefined;
  const text = wanted.includes("://") ? wanted : `http://${wanted}`;
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new UnsupportedError(
      "PROXY_UNSUPPORTED",
      `Cannot reach the API server through the proxy "${
        wanted.replace(/\/\/[^/]*@/, "//…@")
      }": only http and https proxies are supported`,
    );
  }
  return url;
}

function bypassed(server: URL, noProxy: string | undefined): boolean {
  const host = server.hostname.replace(/^\[|\]$/g, "").toLowerCase();
  // Go never sends loopback through a proxy of the environment.
  if (host === "localhost" || /^127\./.test(host) || host === "::1") {
    return true;
  }
  for (const raw of (noProxy ?? "").toLowerCase().split(",")) {
    const rule = raw.trim();
    if (rule === "") continue;
    if (rule === "*" || rule === host) return true;
    if (rule === `${host}:${server.port || "443"}`) return true;
    if (inIpv4Block(host, rule)) return true;
    const suffix = rule.replace(/^\*?\.?/, ".");
    if (host.endsWith(suffix)) return true;
  }
  return false;
}

function inIpv4Block(host: string, rule: string): boolean {
  const [base, length] = rule.split("/");
  const bits = Number(length);
  if (length === undefined || !(bits >= 0 && bits <= 32)) return false;
  const [a, b] = [ipv4(host), ipv4(base ?? "")];
  if (a === undefined || b === undefined) return false;
  return bits === 0 || (a >>> (32 - bits)) === (b >>> (32 - bits));
}

function ipv4(text: string): number | undefined {
  if (!/^\d+\.\d+\.\d+\.\d+$/.test(text)) return undefined;
  return text.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
}

/**
 * A TCP connection to `target` (`host:port`) by CONNECT.
 *
 * @throws {ClusterError} `CLUSTER_UNREACHABLE`, naming the proxy.
 */
export function openTunnel(proxy: URL, target: string): Promise<Socket> {
  const secure = proxy.protocol === "https:";
  const { promise, resolve, reject } = Promise.withResolvers<Socket>();
  const fail = (reason: string, cause?: unknown) =>
    reject(
      new ClusterError(
        "CLUSTER_UNREACHABLE",
        `Cannot reach the API server through the proxy "${proxy.host}": ${reason}`,
        { cause, hint: "Check proxy-url in the kubeconfig, or HTTPS_PROXY." },
      ),
    );
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
  request.once("timeout", () => request.destroy());
  request.once("error", (error) => fail(messageOf(error), error));
  request.end();
  return promise;
}

function proxyAuthorization(proxy: URL): Record<string, string> {
  if (!proxy.username) return {};
  const plain = decodeURIComponent(`${proxy.username}:${proxy.password}`);
  const secret = new TextEncoder().encode(plain).toBase64();
  return { "proxy-authorization": `Basic ${secret}` };
}
