import type { KubeApi } from "./kube_api.ts";

/** What steps act on. */
export interface World {
  readonly kube: KubeApi;
}
