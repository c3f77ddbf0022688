// A SOCKS5 client, as an application has one.
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { formatSocksAddress } from "../../src/net/socks/socks_address.ts";

/** A connection through the proxy. Rejects where the proxy is not there, or refuses. */
export async function socksDial(
  proxyPort: number,
  target: { readonly host: string; readonly port: number },
): Promise<Socket> {
  const socket = connect({
    host: "127.0.0.1",
    port: proxyPort,
    allowHalfOpen: true,
  });
  await once(socket, "connect");
  socket.on("error", () => {});
  socket.write(Uint8Array.of(5, 1, 0)); // version 5, one method: no login
  await readExactly(socket, 2);
  socket.write(Uint8Array.of(5, 1, 0, ...formatSocksAddress(target)));
  const [, reply] = await readExactly(socket, 10);
  if (reply === 0) return socket;
  socket.destroy();
  throw new Error(`the proxy says ${reply}`);
}

async function readExactly(
  socket: Socket,
  size: number,
): Promise<Uint8Array> {
  for (;;) {
    const bytes: Uint8Array | null = socket.read(size);
    if (bytes?.length === size) return bytes;
    if (socket.readableEnded || socket.destroyed) throw new Error("it ended");
    await Promise.race([once(socket, "readable"), once(socket, "end")]);
  }
}
