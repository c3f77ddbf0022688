import type { KubeApi } from "../../kube/kube_api.ts";
import { NAMESPACES } from "../../kube/resources.ts";
import {
  FollowedObjects,
  type FollowObjectsOptions,
} from "./followed_objects.ts";

/** The cluster's namespaces; where they may not be listed, the session's own. */
export class NamespaceNames {
  readonly #followed = new FollowedObjects();
  readonly #kube: KubeApi;

  constructor(kube: KubeApi) {
    this.#kube = kube;
  }

  /** Until the signal ends it; returns at once where namespaces may not be watched. */
  async follow(options: FollowObjectsOptions): Promise<void> {
    if (!await this.#followed.follow(this.#kube, NAMESPACES, options)) {
      options.onChange();
    }
  }

  get names(): string[] {
    const listed = this.#followed.all.map(({ metadata }) => metadata.name);
    return [...new Set([this.#kube.namespace, ...listed])];
  }
}
