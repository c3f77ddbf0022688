import type { Report } from "../../core/report.ts";
import type { KubeApi, KubeObject } from "../../kube/kube_api.ts";
import { PODS } from "../../kube/resources.ts";
import { ConflictError } from "../../core/errors.ts";
import { annotationPatch, updateObject } from "../object/update_object.ts";
import {
  isOpenRequest,
  REFUSED,
  type TakeoverRequest,
  takeoverRequest,
} from "./takeover_request.ts";

/** Tells the owner of a Shadow Pod that somebody asks for their Service, and refuses for them. */
export class TakeoverNotice {
  readonly #kube: KubeApi;
  readonly #report: Report;
  readonly #session: string;
  #request: TakeoverRequest | undefined;
  #pod: KubeObject | undefined;

  /** @param options.session Its id: of several sessions of a laptop, who has 30 s need not look for the one that is meant. */
  constructor(
    kube: KubeApi,
    { report, session }: { report: Report; session: string },
  ) {
    this.#kube = kube;
    this.#report = report;
    this.#session = session;
  }

  /** Looks at the pod as it is now. One request at a time: others may write as many as they like. */
  see(pod: KubeObject): void {
    const now = this.#kube.now();
    const request = takeoverRequest(pod);
    if (request === undefined || request.id === this.#request?.id) return;
    const isAsked = this.#request !== undefined &&
      isOpenRequest(this.#request, now);
    if (isAsked || !isOpenRequest(request, now)) return;
    this.#request = request;
    this.#pod = pod;
    const { user, host, until } = request;
    this.#report.warn(
      "TAKEOVER_REQUESTED",
      `${user} (on ${host}) asks for this Service, and gets it in ${
        Math.round(until - now)
      } s. To keep it, run \`ktctl keep ${this.#session}\``,
    );
  }

  /** Throws `ConflictError` (`NOBODY_ASKS`). */
  async keep(signal: AbortSignal): Promise<TakeoverRequest> {
    const request = this.#request;
    if (
      request === undefined || this.#pod === undefined ||
      !isOpenRequest(request, this.#kube.now())
    ) throw nobodyAsks();
    const { name, namespace, uid } = this.#pod.metadata;
    const told = await updateObject(
      this.#kube,
      {
        resource: PODS,
        name,
        namespace: namespace ?? this.#kube.namespace,
      },
      (found) => annotationPatch(found, { [REFUSED]: request.id }),
      { signal, uid },
    );
    if (told === undefined) throw nobodyAsks(); // the question has gone with the pod
    return request;
  }
}

function nobodyAsks(): ConflictError {
  return new ConflictError(
    "NOBODY_ASKS",
    "Nobody asks for what this session has",
    { hint: "Nothing has to be refused." },
  );
}
