/**
 * Exchange by switching the Service's selector to the Shadow Pod. Works for any kind of workload
 * and leaves its pods as they are.
 */
import { refuseHeldService } from "../../cluster/holder.ts";
import { serviceSelectorStep } from "../../cluster/service/service_selector.ts";
import { refuseSpreadLocal } from "../../cluster/service/service_likeness.ts";
import { refuseUnsuitable } from "../../cluster/service/target.ts";
import { BUILTIN_LISTINGS } from "../builtin_listings.ts";
import {
  definePlugin,
  type RoutingContext,
  type RoutingPlan,
  type RoutingPlugin,
} from "../plugin.ts";
import {
  isSwitchedBack,
  refuseUnswitchable,
  switchService,
} from "./switch_service.ts";

const plugin: RoutingPlugin<never> = {
  ...BUILTIN_LISTINGS.selector,
  apiVersion: 1,
  steps: [serviceSelectorStep],
  probe: () => Promise.resolve({ ok: true }),
  plan,
  route: switchService,
  isReleased: isSwitchedBack,
};

async function plan(context: RoutingContext<never>): Promise<RoutingPlan> {
  const { kube, target: { service }, signal } = context;
  refuseUnsuitable(service);
  await refuseSpreadLocal(kube, service, signal);
  await refuseHeldService(kube, service, context);
  await refuseUnswitchable(
    context,
    "Move that port to a Service of its own, or use --mode scale --keepReplicas 0.",
  );
  const { name } = service.metadata;
  return {
    namePrefix: name,
    config: `service=${name}`,
    fallback: true,
    ready: "always",
  };
}

export default definePlugin(plugin);
