import type { Resource } from "./kube_api.ts";

/** What was being done, for the error's first words. */
export interface CallSubject {
  /** `read`, `list`, `create`, … as in "Cannot create Pod ...". */
  readonly action: string;
  readonly resource?: Resource;
  readonly name?: string | undefined;
  readonly namespace?: string | undefined;
  /** `portforward`, `proxy`, where it is not the object itself. */
  readonly subresource?: string;
  /** Instead of resource and name: the path asked for. */
  readonly path?: string;
}
