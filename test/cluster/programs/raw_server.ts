// A server that says what it got, byte for byte, and which of its instances it is.
//
//   deno run -A raw_server.ts --name original --port 8080 --greet-port 7000
//
// On the first port it waits for the client: a request that looks like HTTP/1.1 is answered with
// itself as the body and a trailer, with a header that no HTTP allows where it has one, anything else, at its end, with name and hex. On the second it
// speaks first.
import { Buffer } from "node:buffer";
import net from "node:net";
import os from "node:os";
import { parseArgs } from "node:util";

export interface RawServer extends AsyncDisposable {
  readonly port: number;
  readonly greetPort: number;
}

export interface RawServerOptions {
  readonly name: string;
  readonly host?: string;
  readonly port?: number;
  readonly greetPort?: number;
}

export async function startRawServer(
  { name, host = "127.0.0.1", port = 0, greetPort = 0 }: RawServerOptions,
): Promise<RawServer> {
  const options = { allowHalfOpen: true, noDelay: true };
  const waiting = net.createServer(options, (socket) => answer(socket, name));
  const greeting = net.createServer(options, (socket) => {
    socket.on("error", () => {});
    socket.write(`220 ${name}\r\n`);
    socket.pipe(socket);
  });
  const ports = [
    await listen(waiting, host, port),
    await listen(greeting, host, greetPort),
  ];
  return {
    port: ports[0]!,
    greetPort: ports[1]!,
    // deno-lint-ignore require-await -- open connections end with their clients
    async [Symbol.asyncDispose]() {
      waiting.close();
      greeting.close();
    },
  };
}

async function listen(
  server: net.Server,
  host: string,
  port: number,
): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, resolve);
  });
  return (server.address() as net.AddressInfo).port;
}

/** A head, and where it announces one, a body in chunks with its trailers. */
const REQUEST = /^[A-Z]+ \S+ HTTP\/1\.1\r\n/;

async function answer(socket: net.Socket, name: string): Promise<void> {
  socket.on("error", () => {});
  let got = Buffer.alloc(0);
  try {
    for await (const part of socket.iterator({ destroyOnReturn: false })) {
      got = Buffer.concat([got, part]);
      const text = got.toString("latin1");
      if (REQUEST.test(text) && isComplete(text)) {
        return void socket.end(httpAnswer(name, text), "latin1");
      }
    }
  } catch {
    return; // the client is gone
  }
  socket.end(`${name} got ${got.toString("hex")}\n`);
}

function isComplete(text: string): boolean {
  if (!text.includes("\r\n\r\n")) return false;
  if (!/^transfer-encoding: *chunked/im.test(text)) return true;
  return /\r\n0\r\n([^\r]+\r\n)*\r\n$/.test(text);
}

function httpAnswer(name: string, text: string): string {
  const odd = /x\[odd\]/i.test(text) ? "\r\nX[odd]: answer" : "";
  return `HTTP/1.1 200 OK\r\nX-Pod: ${name}${odd}` +
    "\r\nConnection: close\r\nTrailer: X-End\r\nTransfer-Encoding: chunked\r\n\r\n" +
    `${text.length.toString(16)}\r\n${text}\r\n0\r\nX-End: ${name}\r\n\r\n`;
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      name: { type: "string", default: os.hostname() },
      port: { type: "string", default: "8080" },
      "greet-port": { type: "string", default: "7000" },
    },
  });
  Deno.addSignalListener("SIGTERM", () => Deno.exit(0));
  await startRawServer({
    name: values.name,
    host: "0.0.0.0",
    port: Number(values.port),
    greetPort: Number(values["greet-port"]),
  });
}
