/**
 * One TCP connection to a port of a pod, through the API server.
 *
 * Over npm `ws` rather than Deno's own WebSocket: only `ws` can pause reading, so a slow reader holds
 * the pod back instead of filling our memory; it takes every TLS option of a kubeconfig, the proxy
 * included; and it tells the HTTP status of a refused handshake.
 */
import type { Duplex } from "node:stream";
// @ts-types="@types/ws"
import type WebSocket from "ws";
import { LinkError } from "../core/errors.ts";
import { describeCall } from "./api_errors.ts";
import type { CallSubject } from "./call_subject.ts";
import {
  type Handshake,
  refusedHandshake,
  shakeHands,
} from "./http/handshake.ts";
import type { KubeHttp } from "./http/http.ts";
import type { CallOptions } from "./kube_api.ts";
import { PODS } from "./resources.ts";
import { PortForwardStream } from "./port_forward_stream.ts";
import { sendOnce } from "./http/send_once.ts";
import { unreachable } from "./http/unreachable.ts";
import { pathSegment } from "./http/path_segment.ts";

const PROTOCOL = "v4.channel.k8s.io";

/**
 * With a mask of zeros `ws` leaves the payload alone, whose masking is a quarter of our processor
 * time when bytes go up. What the mask is for, to keep a script in a browser from choosing the bytes
 * that a proxy sees, does not matter here.
 */
const zeroMask = (mask: Uint8Array) => void mask.fill(0);

export interface PodPort {
  readonly name: string;
  readonly namespace: string;
  readonly port: number;
}

/**
 * Opens the connection; it is open once the kubelet has named the port.
 *
 * The protocol cannot say "I have no more to send": `end()` flushes, and the stream stays readable
 * until the pod closes its side or `destroy()` is called. What goes wrong later destroys the stream
 * with a `LinkError` (`PORT_FORWARD_FAILED`, `PORT_FORWARD_LOST`).
 *
 * @throws {PermissionError} `UNAUTHORISED`, `RBAC_FORBIDDEN`.
 * @throws {NotFoundError} `POD_NOT_FOUND`.
 * @throws {LinkError} `PORT_FORWARD_FAILED`: the pod does not run, or the kubelet cannot reach it.
 * @throws {ClusterError} `CLUSTER_UNREACHABLE`.
 */
export async function openPortForward(
  connection: KubeHttp,
  pod: PodPort,
  options: CallOptions = {},
): Promise<Duplex> {
  const subject: CallSubject = {
    action: "open a port-forward to",
    resource: PODS,
    subresource: "portforward",
    name: pod.name,
    namespace: pod.namespace,
  };
  return await shakeHands(
    connection,
    options,
    () => new PortForwardHandshake(connection, pod, subject),
  );
}

/** From the request to the first message of the data channel. */
class PortForwardHandshake implements Handshake {
  readonly #http: KubeHttp;
  readonly #pod: PodPort;
  readonly #subject: CallSubject;
  #socket: WebSocket | undefined;
  #abandoned = false;

  constructor(http: KubeHttp, pod: PodPort, subject: CallSubject) {
    this.#http = http;
    this.#pod = pod;
    this.#subject = subject;
  }

  async open(): Promise<Duplex> {
    const { agent, headers } = await this.#http.connection();
    const { WebSocket } = await import("ws");
    const { promise, resolve, reject } = Promise.withResolvers<Duplex>();
    if (this.#abandoned) return promise;
    const socket = new WebSocket(this.#url(), [PROTOCOL], {
      agent,
      headers,
      perMessageDeflate: false,
      generateMask: zeroMask,
      finishRequest: (request) => {
        sendOnce(request);
        request.end();
      },
    });
    this.#socket = socket;
    socket.on(
      "error",
      (error) => reject(unreachable(error, this.#http.server)),
    );
    socket.on("unexpected-response", (_request, response) => {
      refusedHandshake(this.#http, response, {
        subject: this.#subject,
        failed: "PORT_FORWARD_FAILED",
      }).then(reject, reject);
    });
    // Listens from the start: the first frames may come together with the handshake's answer.
    const stream = new PortForwardStream(socket, {
      subject: this.#subject,
      port: this.#pod.port,
      onReady: () => resolve(stream),
    });
    socket.on("upgrade", (response) => stream.carrier = response.socket);
    stream.once("error", reject);
    stream.once("close", () =>
      reject(
        new LinkError(
          "PORT_FORWARD_FAILED",
          `${
            describeCall(this.#subject)
          }: the connection was closed before it was open`,
        ),
      ));
    return await promise;
  }

  giveUp(): void {
    this.#abandoned = true;
    this.#socket?.terminate();
  }

  #url(): string {
    const { name, namespace, port } = this.#pod;
    return this.#http.server.replace(/^http/, "ws") +
      `/api/v1/namespaces/${pathSegment(namespace)}/pods/` +
      `${pathSegment(name)}/portforward?ports=${port}`;
  }
}
