/** The rights to what a plan does not do: it fails without them where the real one would. */
import { LinkError, PermissionError } from "../../core/errors.ts";
import { describeCall, missingRuleHint } from "../api_errors.ts";
import type { CallSubject } from "../call_subject.ts";
import { deniedRule } from "../refusals/denied_rule.ts";
import type { KubeApi, KubeObject, Resource } from "../kube_api.ts";
import { PODS } from "../resources.ts";

/** Questions, which no dry run is needed for. */
export const REVIEWS = "authorization.k8s.io/";

const ACCESS_REVIEWS: Resource = {
  apiVersion: `${REVIEWS}v1`,
  kind: "SelfSubjectAccessReview",
  plural: "selfsubjectaccessreviews",
  namespaced: false,
};

export class PlanRights {
  readonly #server: KubeApi;
  readonly #denied = new Map<string, Promise<string | undefined>>();

  constructor(server: KubeApi) {
    this.#server = server;
  }

  /**
   * As the server says it of a call that is not sent. Each right is asked about once.
   *
   * @throws {PermissionError} `RBAC_FORBIDDEN`.
   */
  async refuseForbidden(subject: CallSubject): Promise<void> {
    const namespace = subject.resource?.namespaced
      ? subject.namespace ?? this.#server.namespace
      : undefined;
    const asked = { ...subject, namespace };
    const key = JSON.stringify(asked);
    const denied = this.#denied.get(key) ??
      deniedRule(asked, (review) => this.#isAllowed(review));
    this.#denied.set(key, denied);
    const rule = await denied;
    if (rule === undefined) return;
    throw new PermissionError(
      "RBAC_FORBIDDEN",
      `${describeCall(asked)}: it is forbidden`,
      { hint: missingRuleHint(rule) },
    );
  }

  /** Rejects in any case: with what is missing, else as there is nobody to speak to. */
  async refuseWay(
    pod: { readonly name: string; readonly namespace?: string },
    subresource: "portforward" | "proxy",
  ): Promise<never> {
    const { name, namespace } = pod;
    const action = "connect to";
    await this.refuseForbidden({
      ...{ action, resource: PODS, subresource, namespace },
    });
    throw new LinkError(
      "NOT_IN_DRY_RUN",
      `Cannot speak to Pod "${name}": a dry run speaks to nobody`,
    );
  }

  async #isAllowed(review: object): Promise<boolean | undefined> {
    const asked = { metadata: {}, ...review } as unknown as KubeObject;
    const answer = await this.#server.create(ACCESS_REVIEWS, asked);
    return answer["status"]?.allowed;
  }
}
