/** A dnsmasq that knows what its further flags say and nothing else, and tells on stderr when it listens. */
export const DNSMASQ_FLAGS: readonly string[] = [
  "--keep-in-foreground",
  "--conf-file=/dev/null",
  "--no-resolv",
  "--no-hosts",
  "--bind-interfaces",
  "--pid-file=",
  "--user=root",
  "--log-facility=-",
];
