/** A SOCKS5 proxy (RFC 1928, 1929) that asks for a user where it is told one. */
import { once } from "node:events";
import * as net from "node:net";

export interface Socks5Server extends AsyncDisposable {
  readonly port: number;
  /** Where its clients wanted to go, as they said it, and as whom. */
  readonly asked: string[];
}

/** @param resolve Gives a name's address. */
export async function startSocks5(
  { login, resolve = (host) => host }: {
    login?: string;
    resolve?: (host: string) => string;
  } = {},
): Promise<Socks5Server> {
  const asked: string[] = [];
  const open = new Set<net.Socket>();
  const serve = async (client: net.Socket) => {
    const take = reader(client);
    const [, methods] = await take(2);
    await take(methods!);
    client.write(new Uint8Array([5, login === undefined ? 0 : 2]));
    let user = "";
    if (login !== undefined) {
      const [, nameLength] = await take(2);
      const name = text(await take(nameLength!));
      const [wordLength] = await take(1);
      user = `${name}:${text(await take(wordLength!))}`;
      client.write(new Uint8Array([1, user === login ? 0 : 1]));
      if (user !== login) return void client.end();
    }
    const [, , , type] = await take(4);
    const host = type === 3
      ? text(await take((await take(1))[0]!))
      : type === 1
      ? (await take(4)).join(".")
      : new URL(`http://[${hex(await take(16))}]`).hostname.slice(1, -1);
    const [high, low] = await take(2);
    const port = high! * 256 + low!;
    asked.push(`${host} ${port} ${user}`.trim());
    const upstream = net.connect(port, resolve(host));
    open.add(upstream);
    upstream.on("error", () => client.destroy());
    await once(upstream, "connect");
    client.write(new Uint8Array([5, 0, 0, 1, 0, 0, 0, 0, 0, 0]));
    upstream.pipe(client).pipe(upstream);
  };
  const server = net.createServer((client) => {
    open.add(client);
    client.on("error", () => {});
    serve(client).catch(() => client.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as net.AddressInfo).port,
    asked,
    async [Symbol.asyncDispose]() {
      for (const socket of open) socket.destroy();
      await new Promise((done) => server.close(done));
    },
  };
}

/** Takes so many bytes, when they are there. */
function reader(socket: net.Socket) {
  return async (count: number): Promise<Uint8Array> => {
    if (count === 0) return new Uint8Array();
    for (;;) {
      const bytes = socket.read(count) as Uint8Array | null;
      if (bytes !== null) return bytes;
      await once(socket, "readable");
    }
  };
}

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

function hex(bytes: Uint8Array): string {
  return bytes.toHex().replace(/(.{4})(?!$)/g, "$1:");
}
