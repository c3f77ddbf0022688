/** Keeps Deno from sending a request twice. */
import type { ClientRequest } from "node:http";

/**
 * Deno 2.9.6 sends a request again, whatever its method, when a kept-alive connection fails before
 * the answer or when we abort it ourselves (denoland/deno#36786): a Pod could be created twice, and
 * an aborted watch come back to life. It does so only while `reusedSocket` is set.
 *
 * The test "a write is not sent again" tells when this can go.
 *
 * @returns Whether the request went out on a connection that was used before.
 */
export function sendOnce(request: ClientRequest): () => boolean {
  let reused = false;
  request.once("socket", () => {
    reused = request.reusedSocket;
    request.reusedSocket = false;
  });
  return () => reused;
}
