/**
 * What authors of ktctl plugins import.
 *
 * ```ts
 * import { definePlugin, type RoutingPlugin } from "./mod.ts";
 *
 * const plugin: RoutingPlugin = {
 *   kind: "routing",
 *   apiVersion: 1,
 *   name: "noop",
 *   summary: "changes nothing",
 *   verbs: ["exchange"],
 *   steps: [],
 *   probe: () => Promise.resolve({ ok: true }),
 *   plan: ({ target }) =>
 *     Promise.resolve({
 *       namePrefix: target.service.metadata.name,
 *       config: "",
 *       fallback: false,
 *       ready: "always",
 *     }),
 *   attach: () => Promise.resolve(),
 * };
 * export default definePlugin(plugin as never);
 * ```
 *
 * @module
 */
export * from "./src/plugins/plugin.ts";
export * from "./src/kube/kube_api.ts";
export * as resources from "./src/kube/resources.ts";
export * as contract from "./src/kube/contract.ts";
export {
  ConflictError,
  KtctlError,
  NotFoundError,
  UnsupportedError,
  UsageError,
} from "./src/core/errors.ts";
export { type RoutingTestOptions, testRouting } from "./src/plugins/testing.ts";
export {
  type TestedRoot,
  testTransport,
  type TransportTestOptions,
} from "./src/plugins/testing_transport.ts";
