import { LinkError } from "../../core/errors.ts";
import type { KubeApi } from "../../kube/kube_api.ts";
import { PODS } from "../../kube/resources.ts";
import type { Link } from "../../link/client/link.ts";
import { endsAll } from "./reopen_link.ts";
import type { Shadow } from "./shadow.ts";

/**
 * Another pod may have got the name of the one that is meant, while this laptop slept: its host key is
 * another one by right. Throws `LinkError` (`POD_REPLACED`) then, and what `opening` throws.
 */
export async function refuseReplacedPod(
  opening: Promise<Link>,
  { kube, shadow, signal }: {
    kube: KubeApi;
    shadow: Shadow;
    signal: AbortSignal;
  },
): Promise<Link> {
  const { podName, podUid, spec: { namespace } } = shadow;
  try {
    return await opening;
  } catch (error) {
    if (!endsAll(error)) throw error;
    const ref = { resource: PODS, name: podName, namespace };
    const pod = await kube.find(ref, { signal });
    if (pod?.metadata.uid === podUid) throw error;
    throw new LinkError(
      "POD_REPLACED",
      `Pod "${podName}" was replaced by another pod with the same name`,
      { cause: error },
    );
  }
}
