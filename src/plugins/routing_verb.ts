/** The verbs on whose behalf a routing plugin works. */
export const ROUTING_VERBS = ["exchange", "mesh", "preview"] as const;

export type RoutingVerb = typeof ROUTING_VERBS[number];
