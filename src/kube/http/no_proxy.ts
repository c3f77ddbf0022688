import * as net from "node:net";

/**
 * Whether the environment's proxy is not for this server: it is on loopback, or `NO_PROXY` names it.
 * As Go's `httpproxy` reads the list: `*`, addresses, blocks, names and those below them, each but
 * a block with a port where there is one. Beyond that an IPv6 address may have brackets.
 */
export function isBypassed(server: URL, noProxy: string | undefined): boolean {
  const host = server.hostname.replace(/^\[|\]$/g, "").toLowerCase();
  const port = server.port || (server.protocol === "http:" ? "80" : "443");
  if (host === "localhost" || isLoopback(host)) return true;
  return (noProxy ?? "").toLowerCase().split(",")
    .map((rule) => rule.trim())
    .some((rule) => rule !== "" && matches(rule, host, port));
}

function matches(rule: string, host: string, port: string): boolean {
  if (rule === "*") return true;
  const [, base = "", bits] = /^([\d.a-f:]+)\/(\d+)$/.exec(rule) ?? [];
  if (bits !== undefined && net.isIP(base)) return inBlock(host, base, bits);
  const { name, port: onlyPort } = parts(rule);
  if (onlyPort !== undefined && onlyPort !== port) return false;
  if (net.isIP(name)) return inBlock(host, name, net.isIPv4(name) ? 32 : 128);
  const suffix = name.replace(/^\*\./, ".");
  return suffix.startsWith(".")
    ? suffix !== "." && host.endsWith(suffix)
    : host === suffix || host.endsWith(`.${suffix}`);
}

function parts(rule: string): { name: string; port?: string } {
  if (net.isIP(rule)) return { name: rule };
  const match = /^\[([^\]]*)\](?::(\d+))?$/.exec(rule) ??
    /^([^:]+):(\d+)$/.exec(rule);
  const [, name = rule, port] = match ?? [];
  return { name, ...(port !== undefined && { port }) };
}

function isLoopback(host: string): boolean {
  return inBlock(host, "127.0.0.0", 8) || inBlock(host, "::1", 128);
}

function inBlock(host: string, base: string, bits: string | number): boolean {
  const family = net.isIP(host);
  const length = Number(bits);
  if (family === 0 || length > (net.isIPv4(base) ? 32 : 128)) return false;
  const block = new net.BlockList();
  block.addSubnet(base, length, net.isIPv4(base) ? "ipv4" : "ipv6");
  return block.check(host, family === 4 ? "ipv4" : "ipv6");
}
