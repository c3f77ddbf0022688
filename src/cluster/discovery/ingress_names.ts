import type { KubeApi } from "../../kube/kube_api.ts";
import { INGRESSES } from "../../kube/resources.ts";
import {
  FollowedObjects,
  type FollowObjectsOptions,
} from "./followed_objects.ts";

/** Hosts of Ingress rules, in all namespaces, else in the session's own. */
export class IngressNames {
  readonly #followed = new FollowedObjects();
  readonly #kube: KubeApi;

  constructor(kube: KubeApi) {
    this.#kube = kube;
  }

  /** Until the signal ends it. False, at once, where Ingresses may not be watched. */
  async follow(options: FollowObjectsOptions): Promise<boolean> {
    for (const namespace of ["", this.#kube.namespace]) {
      for (const resource of INGRESSES) {
        const request = { ...options, namespace };
        if (await this.#followed.follow(this.#kube, resource, request)) {
          return true;
        }
      }
    }
    options.onChange();
    return false;
  }

  /** As in the rules: `shop.example.com`, `*.example.com`. */
  get hosts(): string[] {
    const rules: { host?: string }[] = this.#followed.all.flatMap(({ spec }) =>
      spec?.rules ?? []
    );
    return [...new Set(rules.flatMap(({ host }) => host ?? []))];
  }
}
