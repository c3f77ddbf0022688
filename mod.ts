/**
 * What authors of ktctl plugins import; docs/plugin-authors.md tells how to write one.
 *
 * ```ts
 * import { definePlugin } from "./mod.ts";
 *
 * export default definePlugin({
 *   kind: "routing",
 *   apiVersion: 1,
 *   name: "noop",
 *   summary: "changes nothing",
 *   verbs: ["exchange"],
 *   steps: [],
 *   probe: () => ({ ok: true }),
 *   plan: ({ target, refuse }) => {
 *     const { name } = target.service.metadata;
 *     if (name === "kubernetes") {
 *       refuse("SERVICE_OF_CLUSTER", `Cannot take Service "${name}"`);
 *     }
 *     return { namePrefix: name, config: "", fallback: false, ready: "always" };
 *   },
 *   route: ({ log }) => log.info("nothing was changed"),
 * });
 * ```
 *
 * @module
 */
export { definePlugin } from "./src/plugins/plugin.ts";
export type {
  ClusterLink,
  ClusterStep,
  FoundState,
  Json,
  KubeApi,
  KubeObject,
  ObjectRef,
  PrepareContext,
  RootOperations,
  RouteContext,
  RoutingContext,
  RoutingPlan,
  RoutingPlugin,
  StandardSchema,
  Step,
  TransportContext,
  TransportPlugin,
  World,
} from "./src/plugins/plugin.ts";
export type { Resource } from "./src/kube/kube_api.ts";
export {
  Cancelled,
  ClusterError,
  ConflictError,
  KtctlError,
  LinkError,
  NotFoundError,
  PermissionError,
  WriteConflictError,
} from "./src/core/errors.ts";
export {
  openRoutingLab,
  openTransportLab,
  testRouting,
  testTransport,
} from "./src/plugins/kit/kits.ts";
export type { KitStep } from "./src/plugins/kit/kit_steps.ts";
export type { EchoTarget } from "./src/plugins/kit/testing_echo.ts";
