/** Says who else keeps a target as a manifest has it, what that does to a session, and which mode is safe. */
import {
  findKeeper,
  type Keeper,
  keepsField,
} from "../../cluster/keeper/find_keeper.ts";
import type { KubeApi, KubeObject } from "../../kube/kube_api.ts";
import type { PluginLog } from "../plugin.ts";

interface Context {
  readonly kube: Pick<KubeApi, "isPlan">;
  readonly log: Pick<PluginLog, "warn">;
}

/** When it puts back what was changed. */
const WHEN: Readonly<Record<Keeper["kind"], string>> = {
  "argo-cd": "with self-heal on, it puts %s back within seconds of each change",
  "flux": "it puts %s back when it reconciles next",
  "helm": "an upgrade of the release puts %s back",
};

/**
 * Of a Service whose selector is to be switched.
 *
 * @param wayOut What edits no Service.
 */
export function warnOfServiceKeeper(
  { kube, log }: Context,
  service: KubeObject,
  wayOut: string,
): void {
  const keeper = findKeeper(service);
  if (keeper === undefined || isQuiet(keeper, kube)) return;
  const text = when(keeper, "the selector");
  log.warn(
    "SERVICE_KEPT_BY",
    `${keeper.title} keeps Service "${service.metadata.name}": ${text}, and ktctl switches it again, with growing pauses. ${wayOut}`,
  );
}

/** Of a Deployment that is to be scaled down. One whose manifest has no count is left alone. */
export function warnOfDeploymentKeeper(
  { kube, log }: Context,
  deployment: KubeObject,
): void {
  const keeper = findKeeper(deployment);
  if (keeper === undefined || isQuiet(keeper, kube)) return;
  if (keepsField(deployment, keeper, ["spec", "replicas"]) === false) return;
  const text = when(keeper, "the count of replicas");
  log.warn(
    "DEPLOYMENT_KEPT_BY",
    `${keeper.title} keeps Deployment "${deployment.metadata.name}": where its manifest has a count, ${text}, and ktctl leaves it so. --mode selector leaves the Deployment alone`,
  );
}

/** Helm does nothing by itself, and has made most of what there is: each start would say so. */
function isQuiet({ kind }: Keeper, kube: Context["kube"]): boolean {
  return kind === "helm" && !kube.isPlan;
}

function when({ kind }: Keeper, what: string): string {
  return WHEN[kind].replace("%s", what);
}
