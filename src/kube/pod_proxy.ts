/**
 * A connection to a program in a pod that speaks HTTP, by the API server's proxy: it goes from there
 * to the pod's address itself, where a port-forward takes the way over the kubelet and the container
 * runtime, in the messages of another protocol. Half the work, and half the time for an answer.
 */
import * as http from "node:http";
import * as https from "node:https";
import type { Duplex } from "node:stream";
import { LinkError } from "../core/errors.ts";
import { describeCall } from "./api_errors.ts";
import type { CallSubject } from "./call_subject.ts";
import {
  type Handshake,
  refusedHandshake,
  shakeHands,
} from "./http/handshake.ts";
import type { KubeHttp } from "./http/http.ts";
import type { CallOptions, PodUpgrade } from "./kube_api.ts";
import type { PodPort } from "./port_forward.ts";
import { PODS } from "./resources.ts";
import { sendOnce } from "./http/send_once.ts";
import { unreachable } from "./http/unreachable.ts";
import { UpgradedStream } from "./http/upgraded_stream.ts";
import { pathSegment } from "./http/path_segment.ts";

/**
 * Opens the connection; it is open once the program in the pod has changed to the protocol. What
 * goes wrong later destroys the stream with a `LinkError` (`POD_PROXY_LOST`).
 *
 * @throws {PermissionError} `UNAUTHORISED`, `RBAC_FORBIDDEN`.
 * @throws {NotFoundError} `POD_NOT_FOUND`.
 * @throws {LinkError} `POD_PROXY_FAILED`: the API server does not reach the port.
 * @throws {KtctlError} What else the program's refusal looks like to `apiError`.
 * @throws {ClusterError} `CLUSTER_UNREACHABLE`.
 */
export function openPodProxy(
  connection: KubeHttp,
  pod: PodPort,
  upgrade: PodUpgrade,
  options: CallOptions = {},
): Promise<Duplex> {
  return shakeHands(
    connection,
    options,
    () => new UpgradeHandshake(connection, pod, upgrade),
  );
}

class UpgradeHandshake implements Handshake {
  readonly #http: KubeHttp;
  readonly #pod: PodPort;
  readonly #upgrade: PodUpgrade;
  readonly #abandoned = new AbortController();

  constructor(http: KubeHttp, pod: PodPort, upgrade: PodUpgrade) {
    this.#http = http;
    this.#pod = pod;
    this.#upgrade = upgrade;
  }

  async open(): Promise<Duplex> {
    const { agent, headers } = await this.#http.connection();
    const { protocol, headers: asked } = this.#upgrade;
    const { promise, resolve, reject } = Promise.withResolvers<Duplex>();
    const url = this.#url();
    const request = (url.protocol === "https:" ? https : http).request(url, {
      agent,
      headers: {
        ...headers,
        ...asked,
        Connection: "Upgrade",
        Upgrade: protocol,
      },
      signal: this.#abandoned.signal,
    });
    sendOnce(request);
    request.on(
      "error",
      (error) => reject(unreachable(error, this.#http.server)),
    );
    request.once("response", (response) => {
      refusedHandshake(this.#http, response, {
        subject: this.#subject,
        failed: "POD_PROXY_FAILED",
      }).then(reject, reject);
    });
    request.once("upgrade", (_response, socket, head) => {
      const stream = new UpgradedStream(socket, head, this.#lost);
      if (this.#abandoned.signal.aborted) stream.destroy();
      resolve(stream);
    });
    request.end();
    return await promise;
  }

  giveUp(): void {
    this.#abandoned.abort();
  }

  readonly #lost = (reason: string) =>
    new LinkError(
      "POD_PROXY_LOST",
      `${describeCall(this.#subject)}: the connection was lost (${reason})`,
    );

  get #subject(): CallSubject {
    const { name, namespace } = this.#pod;
    const action = "open a connection to";
    return {
      action,
      resource: PODS,
      subresource: "proxy",
      name,
      namespace,
    };
  }

  #url(): URL {
    const { name, namespace, port } = this.#pod;
    return new URL(
      `${this.#http.server}/api/v1/namespaces/${pathSegment(namespace)}/pods/${
        pathSegment(name)
      }:${port}/proxy${this.#upgrade.path}`,
    );
  }
}
