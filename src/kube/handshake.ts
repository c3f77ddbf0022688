import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { KtctlError, LinkError, NotFoundError } from "../core/errors.ts";
import type { CallSubject } from "./api_errors.ts";
import { Deadline } from "./deadline.ts";
import type { KubeHttp } from "./http.ts";
import type { CallOptions } from "./kube_api.ts";
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
      const renew = attempt === 0 && error instanceof KtctlError &&
        error.code === "UNAUTHORISED" && connection.dropCredentials();
      if (!renew) throw error;
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
  const error = await connection.refusal(failure, { subject });
  if (error instanceof NotFoundError && error.code === "NOT_FOUND") {
    return new NotFoundError("POD_NOT_FOUND", error.message, {
      details: error.details,
    });
  }
  return error.code === "API_ERROR"
    ? new LinkError(failed, error.message, {
      hint: "Check that the Pod is running and its node is ready.",
      cause: error,
    })
    : error;
}
