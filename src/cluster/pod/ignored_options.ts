import { type PodOptions, SHADOW_IMAGE } from "./pod_options.ts";

/** A node is nobody's wish: it follows from a Service. */
type Wished = Exclude<keyof PodOptions, "nodeName">;

/** By which flag each is wished for, and what it is without. */
const FLAGS: Record<Wished, [flag: string, without: unknown]> = {
  image: ["--image", SHADOW_IMAGE],
  imagePullPolicy: ["--forceUpdate", "IfNotPresent"],
  imagePullSecret: ["--imagePullSecret", undefined],
  serviceAccount: ["--serviceAccount", undefined],
  nodeSelector: ["--nodeSelector", {}],
  tolerations: ["--toleration", []],
  labels: ["--withLabel", {}],
  annotations: ["--withAnnotation", {}],
  quota: ["--podQuota", {}],
  asDeployment: ["--useShadowDeployment", false],
};

/** The flags by which somebody wished for another pod than there is. */
export function ignoredOptions(
  wished: PodOptions,
  there: PodOptions,
): string[] {
  const keys = Object.keys(FLAGS) as Wished[];
  return keys.filter((key) =>
    !isSame(wished[key], there[key]) && !isSame(wished[key], FLAGS[key][1])
  ).map((key) => FLAGS[key][0]);
}

function isSame(a: unknown, b: unknown): boolean {
  return sorted(a) === sorted(b);
}

function sorted(value: unknown): string {
  return typeof value === "object" && value !== null
    ? JSON.stringify(Object.entries(value).toSorted())
    : String(value);
}
