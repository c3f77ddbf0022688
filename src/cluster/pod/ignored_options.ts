import { type PodOptions, SHADOW_IMAGE } from "./pod_options.ts";

/** A node is nobody's wish: it follows from a Service. */
type Wished = Exclude<keyof PodOptions, "nodeName" | "notOnNode">;

/** How each is called, and what it is for who does not wish for it. */
const WISHES: Record<Wished, [name: string, without: unknown]> = {
  image: ["image", SHADOW_IMAGE],
  imagePullPolicy: ["pull policy", "IfNotPresent"],
  imagePullSecret: ["pull secret", undefined],
  serviceAccount: ["service account", undefined],
  nodeSelector: ["node selector", {}],
  tolerations: ["tolerations", []],
  labels: ["labels", {}],
  annotations: ["annotations", {}],
  quota: ["requests and limits", {}],
  asDeployment: ["Deployment", false],
};

/** By what somebody wished for another pod than there is. */
export function ignoredOptions(
  wished: PodOptions,
  there: PodOptions,
): string[] {
  const keys = Object.keys(WISHES) as Wished[];
  return keys.filter((key) =>
    !isSame(wished[key], there[key]) && !isSame(wished[key], WISHES[key][1])
  ).map((key) => WISHES[key][0]);
}

function isSame(a: unknown, b: unknown): boolean {
  return sorted(a) === sorted(b);
}

function sorted(value: unknown): string {
  return typeof value === "object" && value !== null
    ? JSON.stringify(Object.entries(value).toSorted())
    : String(value);
}
