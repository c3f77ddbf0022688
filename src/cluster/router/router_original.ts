/** The selector that a meshed Service is to return to. */
import { isSwitched } from "../../kube/annotations.ts";
import type { KubeApi, KubeObject } from "../../kube/kube_api.ts";
import { intendedSelector } from "../service/intended_selector.ts";
import { routerLabels } from "./router_objects.ts";
import type { RouterState } from "./router_state.ts";
import { selectorLost } from "../service/service_selector.ts";
import { stuntmanSelector } from "../service/stuntman.ts";

type Labels = Readonly<Record<string, string>>;

/**
 * What the Service itself says, else its Stuntman Service, else what this session saw before. Never
 * what a ConfigMap says: who may write those might not be allowed to change a Service.
 * The function that it returns throws `ClusterError` (`SELECTOR_LOST`) where nothing says it.
 */
export async function routerOriginal(
  kube: KubeApi,
  state: RouterState,
  { known, applied, signal }: {
    known: Labels;
    applied: Labels;
    signal?: AbortSignal;
  },
): Promise<(service: KubeObject) => Labels> {
  const last = await stuntmanSelector(kube, state, signal) ?? known;
  return (service) => {
    const intended = intendedSelector(service, {
      shadow: routerLabels(state),
      last,
      applied,
    });
    if (isSwitched(intended) || Object.keys(intended).length === 0) {
      throw selectorLost(service);
    }
    return intended;
  };
}
