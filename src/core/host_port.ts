/** `host:port` as URLs, CONNECT and messages write it: an IPv6 address is set in brackets. */
export function hostPort(host: string, port: number | string): string {
  return host.includes(":") && !host.startsWith("[")
    ? `[${host}]:${port}`
    : `${host}:${port}`;
}
