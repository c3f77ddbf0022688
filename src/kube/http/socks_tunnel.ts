import type { Socket } from "node:net";
import type { TunnelTarget } from "./tunnel_target.ts";

/**
 * A TCP connection to `target` by a SOCKS5 proxy. It is the proxy that resolves the name, with
 * `socks5` as with `socks5h`: as Go's net/http does it.
 */
export async function openSocksTunnel(
  proxy: URL,
  target: TunnelTarget,
  timeoutMs: number,
): Promise<Socket> {
  const { SocksClient } = await import("socks");
  const { socket } = await SocksClient.createConnection({
    proxy: {
      host: proxy.hostname.replace(/^\[|\]$/g, ""),
      port: Number(proxy.port || 1080),
      type: 5,
      ...(proxy.username !== "" && {
        userId: decodeURIComponent(proxy.username),
        password: decodeURIComponent(proxy.password),
      }),
    },
    command: "connect",
    destination: { host: target.host, port: Number(target.port) },
    timeout: timeoutMs,
    set_tcp_nodelay: true,
  });
  return socket;
}
