import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";

/** Two connected sockets of this machine. */
export async function socketPair(): Promise<[Socket, Socket]> {
  const server = createServer({ allowHalfOpen: true });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  const near = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  const [[far]] = await Promise.all([
    once(server, "connection"),
    once(near, "connect"),
  ]);
  server.close();
  for (const socket of [near, far]) socket.on("error", () => {});
  return [near, far];
}
