/** What the made-up cluster of tun_client.ts does, by port. */
export const PORT = {
  echo: 7,
  hash: 8,
  reset: 10,
  watch: 11,
  slow: 12,
  refused: 81,
  unreachable: 82,
} as const;
