import { once } from "node:events";
import type { Server } from "node:net";

/** Listens on all addresses of the pod, IPv6 included where it has that. */
export async function listenEverywhere(
  server: Server,
  port: number,
): Promise<void> {
  try {
    server.listen(port, "::");
    await once(server, "listening");
  } catch (error) {
    const { code } = error as { code?: string };
    if (code !== "EAFNOSUPPORT" && code !== "EADDRNOTAVAIL") throw error;
    server.listen(port, "0.0.0.0");
    await once(server, "listening");
  }
}
