import type { KubeObject } from "../../kube/kube_api.ts";
import { managersOfField } from "../keeper/field_managers.ts";

/** As which a program wrote a Service's selector last that is not ours: `argocd-controller`. */
export function selectedBy(service: KubeObject): string | undefined {
  const [last] = managersOfField(service, ["spec", "selector"]);
  return last === "" || last === "ktctl" ? undefined : last;
}
