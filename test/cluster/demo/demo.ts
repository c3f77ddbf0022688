// The program behind a test's Service, in the image ktctl-demo:1 and as the local process on the
// laptop's side. Whatever it answers says which of its instances answered.
//
//   deno run -A test/cluster/demo/demo.ts --name laptop --port 8080 --tcp-port 9000
//
// One port for HTTP/1.x, WebSocket and HTTP/2 without TLS, one for a TCP echo, one for gRPC.
// Prints one line of JSON with name and ports when it listens (port 0 takes a free one); ends at
// SIGTERM.
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import http2 from "node:http2";
import net from "node:net";
import os from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";

const { values: options } = parseArgs({
  options: {
    name: { type: "string", default: os.hostname() },
    host: { type: "string", default: "127.0.0.1" },
    port: { type: "string", default: "8080" },
    "tcp-port": { type: "string", default: "9000" },
    "grpc-port": { type: "string", default: "0" },
  },
});
const name = options.name;
const greeting = `demo pod=${name}\n`;

// What /bytes sends, so that anyone can make it again: the letters a to z, over and over.
const letters = new TextEncoder().encode(
  "abcdefghijklmnopqrstuvwxyz".repeat(2520),
);

function lettersStream(length: number): ReadableStream<Uint8Array> {
  let left = length;
  return new ReadableStream({
    pull(controller) {
      if (left > 0) controller.enqueue(letters.slice(0, left));
      left -= letters.length;
      if (left <= 0) controller.close();
    },
  });
}

function eventStream(count: number, pause: number): ReadableStream<Uint8Array> {
  let sent = 0;
  return new ReadableStream({
    async pull(controller) {
      if (sent >= count) return controller.close();
      if (sent > 0) await sleep(pause);
      sent++;
      controller.enqueue(
        new TextEncoder().encode(`id: ${sent}\ndata: ${greeting}\n`),
      );
    },
  });
}

async function answer(request: Request, peer: string): Promise<Response> {
  const url = new URL(request.url);
  const number = (key: string, otherwise: number) =>
    Number(url.searchParams.get(key) ?? otherwise);
  // no-transform: Deno would compress otherwise
  const headers = new Headers({
    "x-pod": name,
    "cache-control": "no-transform",
  });
  const json = (value: unknown) => {
    headers.set("content-type", "application/json");
    return new Response(JSON.stringify(value) + "\n", { headers });
  };
  if (request.headers.get("upgrade")?.toLowerCase() === "websocket") {
    const { socket, response } = Deno.upgradeWebSocket(request);
    socket.onopen = () => socket.send(greeting);
    socket.onmessage = (event) => socket.send(event.data);
    return response;
  }
  switch (url.pathname) {
    case "/":
      return new Response(greeting, { headers });
    case "/status": // ?code=503
      return new Response(greeting, { headers, status: number("code", 200) });
    case "/slow": // ?ms=1000
      await sleep(number("ms", 1000));
      return new Response(greeting, { headers });
    case "/headers": {
      const { method, url } = request;
      return json({
        pod: name,
        method,
        url,
        peer,
        headers: Object.fromEntries(request.headers),
      });
    }
    case "/bytes": { // ?n=1000000, and chunked=1 without a length
      const length = number("n", 1024);
      headers.set("content-type", "application/octet-stream");
      if (!url.searchParams.has("chunked")) {
        headers.set("content-length", String(length));
      }
      return new Response(lettersStream(length), { headers });
    }
    case "/echo":
      headers.set(
        "content-type",
        request.headers.get("content-type") ?? "text/plain",
      );
      return new Response(request.body, { headers });
    case "/sink": {
      const hash = createHash("sha256");
      let count = 0;
      for await (const part of request.body ?? []) {
        hash.update(part);
        count += part.length;
      }
      return json({ pod: name, count, sha256: hash.digest("hex") });
    }
    case "/sse": // ?n=5&ms=200
      headers.set("content-type", "text/event-stream");
      return new Response(eventStream(number("n", 5), number("ms", 200)), {
        headers,
      });
  }
  return new Response(greeting, { headers, status: 404 });
}

/** A gRPC message on the wire: a byte for compression, four for the length, the message. */
function grpcFrame(message: Uint8Array): Uint8Array {
  const frame = Buffer.alloc(5 + message.length);
  frame.writeUInt32BE(message.length, 1);
  frame.set(message, 5);
  return frame;
}

/** The messages of a request, opaque as they are: the demo knows no protobuf. */
async function* grpcMessages(
  stream: http2.ServerHttp2Stream,
): AsyncGenerator<Uint8Array> {
  let data = Buffer.alloc(0);
  for await (const part of stream) {
    data = Buffer.concat([data, part]);
    while (data.length >= 5 && data.length >= 5 + data.readUInt32BE(1)) {
      const end = 5 + data.readUInt32BE(1);
      yield data.subarray(5, end);
      data = data.subarray(end);
    }
  }
}

/**
 * Methods by the last part of the path, whatever the service: Echo (also of a stream of
 * messages, each as it comes), Pod (the instance's name as the message), Stream (the message
 * `x-count` times, `x-interval-ms` apart); any other is unimplemented, status 12.
 */
async function answerGrpc(
  stream: http2.ServerHttp2Stream,
  headers: http2.IncomingHttpHeaders,
): Promise<void> {
  let status = 0;
  stream.on("error", () => {});
  stream.respond({
    ":status": 200,
    "content-type": "application/grpc",
    "x-pod": name,
  }, {
    waitForTrailers: true,
  });
  stream.on("wantTrailers", () => {
    stream.sendTrailers({ "grpc-status": String(status), "x-pod": name });
  });
  const method = headers[":path"]?.split("/").at(-1);
  for await (const message of grpcMessages(stream)) {
    if (method === "Echo") stream.write(grpcFrame(message));
    else if (method === "Pod") stream.write(grpcFrame(Buffer.from(name)));
    else if (method === "Stream") {
      for (let i = 0; i < Number(headers["x-count"] ?? 3); i++) {
        if (i > 0) await sleep(Number(headers["x-interval-ms"] ?? 50));
        stream.write(grpcFrame(message));
      }
    } else status = 12;
  }
  stream.end();
}

// gRPC needs trailers, which Deno.serve cannot send. On a port of its own, as Deno 2.9.6 crashes
// in node:http2 when a client that had many streams on a connection says GOAWAY
// (denoland/deno#36788): load tests of HTTP/2 are for the other port.
const grpc = http2.createServer();
grpc.on("stream", (stream, headers) => {
  // the types know every end of a stream; this is the server's
  const served = stream as http2.ServerHttp2Stream;
  answerGrpc(served, headers).catch(() => served.destroy());
});

const echo = net.createServer(
  { allowHalfOpen: true, noDelay: true },
  (socket) => {
    socket.on("error", () => {});
    socket.pipe(socket); // ends its side after the last byte came back
  },
);

async function listen(
  server: net.Server | http2.Http2Server,
  port: string,
): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(Number(port), options.host, () => resolve());
  });
  return (server.address() as net.AddressInfo).port;
}

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  Deno.addSignalListener(signal, () => Deno.exit(0));
}
const tcpPort = await listen(echo, options["tcp-port"]);
const grpcPort = await listen(grpc, options["grpc-port"]);
Deno.serve({
  hostname: options.host,
  port: Number(options.port),
  onListen: ({ port }) =>
    console.log(JSON.stringify({ name, port, tcpPort, grpcPort })),
}, (request, info) => answer(request, info.remoteAddr.hostname));
