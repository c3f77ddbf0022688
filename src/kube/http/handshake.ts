import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import {
  ClusterError,
  type KtctlError,
  LinkError,
  NotFoundError,
} from "../../core/errors.ts";
import { type ApiFailure, describeCall, readStatus } from "../api_errors.ts";
import type { CallSubject } from "../call_subject.ts";
import { Deadline } from "./deadline.ts";
import type { KubeHttp } from "./http.ts";
import type { CallOptions } from "../kube_api.ts";
import { readBody } from "./read_body.ts";

/** An attempt to make a stream of a request. */
export interface Handshake {
  open(): Promise<Duplex>;
  /** After a failure: nothing of the connection may stay behind. */
  giveUp(): void;
}

/** Within the deadline; once more where the credentials were refused and there may be newer ones. */
export async function shakeHands(
  connection: KubeHttp,
  options: CallOptions,
  begin: () => Handshake,
): Promise<Duplex> {
  using deadline = new Deadline(connection.server, options);
  for (let attempt = 0;; attempt++) {
    const handshake = begin();
    try {
      return await deadline.race(handshake.open());
    } catch (error) {
      handshake.giveUp();
      if (attempt > 0 || !await connection.renewAfter(error)) throw error;
    }
  }
}

/** The error for an answer that changes no protocol; of `failed`, where the API server names no cause of its own. */
export async function refusedHandshake(
  connection: KubeHttp,
  response: IncomingMessage,
  { subject, failed }: { subject: CallSubject; failed: string },
): Promise<KtctlError> {
  connection.noteDate(response.headers);
  const body = await readBody(response);
  const failure = { code: response.statusCode!, body };
  if (isWithoutUpgrade(failure, subject)) {
    return upgradeRefused(failure, subject);
  }
  const error = await connection.refusal(failure, { subject });
  if (error instanceof NotFoundError && error.code === "NOT_FOUND") {
    return new NotFoundError("POD_NOT_FOUND", error.message, {
      details: error.details,
    });
  }
  return error.code === "API_ERROR" || error.code === "API_REFUSED"
    ? new LinkError(failed, error.message, {
      hint: "Check that the Pod is running and its node is ready.",
      cause: error,
    })
    : error;
}

/**
 * The API server, or the kubelet, says that it was not asked for an upgrade, as we did; or something
 * answers as if it had been asked for a page. That is no matter of time.
 */
function isWithoutUpgrade(
  { code, body }: ApiFailure,
  { subresource }: CallSubject,
): boolean {
  // by `pods/proxy` it may be the pod's own program that answers with a page
  return (code < 400 && subresource === "portforward") || code === 426 ||
    (code === 400 &&
      /upgrade request required|missing upgrade headers/i.test(body));
}

function upgradeRefused(failure: ApiFailure, subject: CallSubject) {
  const said = readStatus(failure).message ?? `HTTP status ${failure.code}`;
  return new ClusterError(
    "UPGRADE_REFUSED",
    `${
      describeCall(subject)
    }: something between here and the API server does not let the connection upgrade (${said})`,
    {
      hint:
        "Configure the proxy or load balancer in front of the API server to pass the headers Connection and Upgrade (WebSocket), or use a server address in the kubeconfig that bypasses it.",
    },
  );
}
