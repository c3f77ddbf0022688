import type { RoutingPlugin } from "../../../src/plugins/plugin.ts";

/** A routing plugin that does nothing, with parts of it replaced. */
export function fakeRouting(
  part: { [Key in keyof RoutingPlugin]?: unknown },
): RoutingPlugin<never> {
  return {
    kind: "routing",
    apiVersion: 1,
    name: "fake",
    summary: "does nothing",
    verbs: ["exchange"],
    steps: [],
    probe: () => Promise.resolve({ ok: true }),
    plan: () =>
      Promise.resolve({
        namePrefix: "fake",
        config: "",
        fallback: false,
        ready: "always",
      }),
    route: () => Promise.resolve(),
    ...part,
  } as RoutingPlugin<never>;
}
