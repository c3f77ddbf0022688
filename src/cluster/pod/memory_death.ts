/** A container that was killed for want of memory, and whose limit that was. */
import { KtctlError } from "../../core/errors.ts";
import type { KubeApi, KubeObject } from "../../kube/kube_api.ts";
import { LIMIT_RANGES } from "../../kube/resources.ts";
import { allContainers, type PodContainer } from "./pod_containers.ts";

/** The second where not even its start had enough. */
export function isMemoryDeath(
  end:
    | { reason?: string | undefined; message?: string | undefined }
    | undefined,
): boolean {
  return end?.reason === "OOMKilled" ||
    /OOM-killed|memory limit too low/.test(end?.message ?? "");
}

/** `killed for want of memory (OOMKilled; its limit is 20Mi, from LimitRange "small")`. */
export async function memoryDeath(
  kube: KubeApi,
  pod: KubeObject,
  { name }: PodContainer,
): Promise<string> {
  const container = allContainers(pod.spec).find((one) => one.name === name);
  const limit: unknown = container?.resources?.limits?.memory;
  const whose = typeof limit === "string"
    ? `its limit is ${limit}${await limitOrigin(kube, pod, { name, limit })}`
    : "it has no limit of its own: its node ran out of memory";
  return `killed for lack of memory (OOMKilled; ${whose})`;
}

/** A LimitRange's default is written into a pod, with a note that it was. */
async function limitOrigin(
  kube: KubeApi,
  pod: KubeObject,
  { name, limit }: { name: string; limit: string },
): Promise<string> {
  const note = pod.metadata.annotations?.["kubernetes.io/limit-ranger"] ?? "";
  const isSet = note.split(/: |; /).some((part) =>
    part.includes("memory") && part.endsWith(` limit for container ${name}`)
  );
  if (!isSet) return "";
  const ranges = await limitRanges(kube, pod.metadata.namespace);
  const range = ranges.find(({ spec }) =>
    // deno-lint-ignore no-explicit-any -- open JSON of the API
    spec?.limits?.some((one: any) => one?.default?.memory === limit)
  );
  return range === undefined
    ? ", from a LimitRange"
    : `, from LimitRange "${range.metadata.name}"`;
}

/** Its name is a courtesy: reading it may be forbidden. */
async function limitRanges(
  kube: KubeApi,
  namespace = kube.namespace,
): Promise<KubeObject[]> {
  try {
    return await kube.list(LIMIT_RANGES, { namespace, timeoutMs: 3_000 });
  } catch (error) {
    if (error instanceof KtctlError) return [];
    throw error;
  }
}
