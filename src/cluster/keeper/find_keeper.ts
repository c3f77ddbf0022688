/** Programs that keep an object as a manifest says: they may put back what a session changes. */
import { annotation, annotationText, label } from "../../kube/annotations.ts";
import type { KubeObject } from "../../kube/kube_api.ts";
import { managersOf, managersOfField } from "./field_managers.ts";

export interface Keeper {
  readonly kind: "argo-cd" | "flux" | "helm";
  /** For people: `Argo CD (application "shop")`. */
  readonly title: string;
  /** As which it writes, in `managedFields`. */
  readonly managers: readonly string[];
}

const ARGO_CD = ["argocd-controller", "argocd-application-controller"];
const FLUX = ["kustomize-controller", "helm-controller"];
const HELM = ["helm", "Helm"];

/** Who keeps an object, by the marks that it puts there; the first one where one works by another. */
export function findKeeper(object: KubeObject): Keeper | undefined {
  return argoCd(object) ?? flux(object) ?? helm(object);
}

/**
 * Whether the keeper's manifest has the field, as `["spec", "replicas"]`: what it leaves out it leaves alone.
 * Undefined where the server does not say what the keeper wrote.
 */
export function keepsField(
  object: KubeObject,
  { managers }: Keeper,
  path: readonly string[],
): boolean | undefined {
  const isIts = (name: string) => managers.includes(name);
  if (managersOfField(object, path).some(isIts)) return true;
  return [...managersOf(object)].some(isIts) ? false : undefined;
}

function argoCd(object: KubeObject): Keeper | undefined {
  const tracked = annotation(object, "argocd.argoproj.io/tracking-id");
  const isManaged = hasManager(object, ARGO_CD);
  const instance = tracked?.split(":")[0] ??
    label(object, "argocd.argoproj.io/instance") ??
    // everybody else's label as well
    (isManaged ? label(object, "app.kubernetes.io/instance") : undefined);
  if (instance === undefined && !isManaged) return undefined;
  return {
    kind: "argo-cd",
    title: titled("Argo CD", "application", instance),
    managers: ARGO_CD,
  };
}

function flux(object: KubeObject): Keeper | undefined {
  const kustomization = label(object, "kustomize.toolkit.fluxcd.io/name");
  const release = label(object, "helm.toolkit.fluxcd.io/name");
  const name = kustomization ?? release;
  if (name === undefined && !hasManager(object, FLUX)) return undefined;
  const what = kustomization === undefined ? "HelmRelease" : "Kustomization";
  return { kind: "flux", title: titled("Flux", what, name), managers: FLUX };
}

function helm(object: KubeObject): Keeper | undefined {
  const release = annotationText(object, "meta.helm.sh/release-name");
  const isHelms = label(object, "app.kubernetes.io/managed-by") === "Helm";
  if (release === undefined && !isHelms) return undefined;
  return {
    kind: "helm",
    title: titled("Helm", "release", release),
    managers: HELM,
  };
}

function hasManager(object: KubeObject, names: readonly string[]): boolean {
  return names.some((name) => managersOf(object).has(name));
}

function titled(who: string, what: string, name: string | undefined): string {
  return name === undefined ? who : `${who} (${what} "${name.slice(0, 253)}")`;
}
