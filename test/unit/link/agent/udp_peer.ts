import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";

export interface UdpPeer extends AsyncDisposable {
  readonly port: number;
  readonly socket: Socket;
}

/** A UDP socket on the loopback that answers each datagram by `answer`. */
export async function udpPeer(
  answer: (
    data: Uint8Array,
    reply: (data: Uint8Array) => void,
    from: { port: number; address: string },
  ) => void = (data, reply) => reply(data),
  { host = "127.0.0.1", port = 0 }: { host?: string; port?: number } = {},
): Promise<UdpPeer> {
  const socket = createSocket(host.includes(":") ? "udp6" : "udp4");
  socket.on("message", (data, from) => {
    const reply = (bytes: Uint8Array) =>
      socket.send(bytes, from.port, from.address);
    answer(new Uint8Array(data), reply, from);
  });
  socket.bind(port, host);
  await once(socket, "listening");
  return {
    socket,
    port: socket.address().port,
    [Symbol.asyncDispose]: () =>
      new Promise<void>((resolve) => socket.close(() => resolve())),
  };
}
