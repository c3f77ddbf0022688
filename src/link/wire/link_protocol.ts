/** What may be spoken on a link. */
export const LINK_PROTOCOLS = ["tls", "ssh"] as const;

export type LinkProtocol = typeof LINK_PROTOCOLS[number];
