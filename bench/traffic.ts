// Both ends of the measured paths, in the pod and on the laptop: bytes in bulk one way, and small
// requests, which may be wrk's. One file without imports, so that a stock Deno image runs it from a ConfigMap.
//
//   traffic.ts serve HOST PORT                             prints the port
//   traffic.ts bulk HOST PORT send|receive FLOWS BYTES     prints {"seconds","bytes"}
//   traffic.ts requests HOST PORT keep|fresh FLOWS COUNT   prints {"p50","p99","perSecond"} in ms
//
// The port of a SOCKS5 proxy on this machine may come last; HOST then is an IPv4 address.
const BLOCK_BYTES = 256 * 1024;
/** Who sends in bulk stops then, however much is left. */
const MAX_BULK_MS = 5_000;
/** The first byte of a block. */
const [MORE, LAST] = [0, 1];
/** Both a request and an answer: about what a small GET has in headers. */
const MESSAGE_BYTES = 256;
const HEADER_BYTES = 16;
const WARM_UP_REQUESTS = 50;
const KINDS = { send: 1, receive: 2, requests: 3 } as const;
/** The first bytes of an HTTP request, as a number. */
const HTTP_GET = 0x47455420;
/** As long as the other answers. */
const HTTP_ANSWER = httpAnswer();

function header(kind: keyof typeof KINDS, bytes = 0): Uint8Array {
  const view = new DataView(new ArrayBuffer(HEADER_BYTES));
  view.setUint32(0, KINDS[kind]);
  view.setFloat64(8, bytes);
  return new Uint8Array(view.buffer);
}

function httpAnswer(): Uint8Array {
  const head = "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n" +
    "content-length: 180\r\n\r\n";
  return new TextEncoder().encode(head.padEnd(head.length + 180, "x"));
}

async function readExactly(conn: Deno.Conn, into: Uint8Array): Promise<void> {
  for (let at = 0; at < into.length;) {
    const read = await conn.read(into.subarray(at));
    if (read === null) throw new Deno.errors.UnexpectedEof("cut off");
    at += read;
  }
}

/** Reads blocks up to the last one; returns how many bytes they had. */
async function drain(conn: Deno.Conn): Promise<number> {
  const block = new Uint8Array(BLOCK_BYTES);
  for (let bytes = 0;;) {
    const at = bytes % BLOCK_BYTES;
    const read = await conn.read(block.subarray(at));
    if (read === null) throw new Deno.errors.UnexpectedEof("cut off");
    bytes += read;
    if (bytes % BLOCK_BYTES === 0 && block[0] === LAST) return bytes;
  }
}

async function writeAll(conn: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) {
    at += await conn.write(bytes.subarray(at));
  }
}

/** Sends blocks, at least one; returns how many bytes they had. */
async function fill(conn: Deno.Conn, wanted: number): Promise<number> {
  const part = crypto.getRandomValues(new Uint8Array(64 * 1024));
  const block = new Uint8Array(BLOCK_BYTES);
  for (let at = 0; at < block.length; at += part.length) block.set(part, at);
  const end = performance.now() + MAX_BULK_MS;
  for (let bytes = BLOCK_BYTES;; bytes += BLOCK_BYTES) {
    const isLast = bytes >= wanted || performance.now() > end;
    block[0] = isLast ? LAST : MORE;
    await writeAll(conn, block);
    if (isLast) return bytes;
  }
}

async function answer(conn: Deno.TcpConn): Promise<void> {
  conn.setNoDelay(true);
  const head = new Uint8Array(HEADER_BYTES);
  await readExactly(conn, head);
  const view = new DataView(head.buffer);
  const [kind, bytes] = [view.getUint32(0), view.getFloat64(8)];
  const message = new Uint8Array(MESSAGE_BYTES);
  if (kind === HTTP_GET) return await answerHttp(conn);
  if (kind === KINDS.receive) return void await fill(conn, bytes);
  if (kind === KINDS.send) {
    await drain(conn);
    return await writeAll(conn, new Uint8Array(1));
  }
  for (;;) {
    await readExactly(conn, message);
    await writeAll(conn, message);
  }
}

/** wrk sends a request when it has the answer to the one before, and each comes in one piece. */
async function answerHttp(conn: Deno.Conn): Promise<void> {
  const request = new Uint8Array(4096);
  while (await conn.read(request) !== null) await writeAll(conn, HTTP_ANSWER);
}

async function serve(hostname: string, port: number): Promise<void> {
  const listener = Deno.listen({ hostname, port });
  console.log(listener.addr.port);
  for await (const conn of listener) {
    answer(conn).catch(() => {}).finally(() => conn.close());
  }
}

interface Peer {
  hostname: string;
  port: number;
  socksPort: number | undefined;
}

async function dial(
  { hostname, port, socksPort }: Peer,
): Promise<Deno.TcpConn> {
  if (socksPort === undefined) return await Deno.connect({ hostname, port });
  const conn = await Deno.connect({ hostname: "127.0.0.1", port: socksPort });
  await writeAll(conn, Uint8Array.of(5, 1, 0)); // version 5, one method: no login
  await readExactly(conn, new Uint8Array(2));
  const address = [...hostname.split(".").map(Number), port >> 8, port & 255];
  await writeAll(conn, Uint8Array.of(5, 1, 0, 1, ...address));
  const reply = new Uint8Array(10);
  await readExactly(conn, reply);
  if (reply[1] !== 0) throw new Error(`the proxy says ${reply[1]}`);
  return conn;
}

/** A sender is done when the other end says that the last byte came. */
async function bulk(
  peer: Peer,
  direction: "send" | "receive",
  { flows, bytes }: { flows: number; bytes: number },
): Promise<void> {
  const conns = await Promise.all(
    Array.from({ length: flows }, () => dial(peer)),
  );
  const each = Math.ceil(bytes / flows);
  const start = performance.now();
  const moved = await Promise.all(conns.map(async (conn) => {
    await writeAll(conn, header(direction, each));
    if (direction === "receive") return await drain(conn);
    const sent = await fill(conn, each);
    await readExactly(conn, new Uint8Array(1));
    return sent;
  }));
  const seconds = (performance.now() - start) / 1000;
  const total = moved.reduce((sum, one) => sum + one, 0);
  console.log(JSON.stringify({ seconds, bytes: total }));
}

async function requests(
  peer: Peer,
  fresh: boolean,
  { flows, count }: { flows: number; count: number },
): Promise<void> {
  const times: number[] = [];
  const each = Math.ceil(count / flows);
  let start = 0;
  const message = new Uint8Array(MESSAGE_BYTES);
  const open = async () => {
    const conn = await dial(peer);
    conn.setNoDelay(true);
    await writeAll(conn, header("requests"));
    return conn;
  };
  const flow = async (wanted: number) => {
    const into = new Uint8Array(MESSAGE_BYTES);
    const kept = fresh ? undefined : await open();
    for (let i = 0; i < wanted; i++) {
      const began = performance.now();
      const conn = kept ?? await open();
      await writeAll(conn, message);
      await readExactly(conn, into);
      times.push(performance.now() - began);
      if (fresh) conn.close();
    }
    kept?.close();
  };
  await flow(WARM_UP_REQUESTS);
  times.length = 0;
  start = performance.now();
  await Promise.all(Array.from({ length: flows }, () => flow(each)));
  const seconds = (performance.now() - start) / 1000;
  times.sort((a, b) => a - b);
  const at = (share: number) => times[Math.floor(share * times.length)];
  console.log(JSON.stringify({
    p50: at(0.5),
    p99: at(0.99),
    perSecond: times.length / seconds,
  }));
}

const [role, hostname = "127.0.0.1", port, kind, flows, amount, socks] =
  Deno.args;
const socksPort = socks === undefined ? undefined : Number(socks);
const peer = { hostname, port: Number(port), socksPort };
if (role === "serve") await serve(hostname, Number(port));
else if (role === "bulk" && (kind === "send" || kind === "receive")) {
  await bulk(peer, kind, { flows: Number(flows), bytes: Number(amount) });
  Deno.exit(0);
} else if (role === "requests") {
  await requests(peer, kind === "fresh", {
    flows: Number(flows),
    count: Number(amount),
  });
  Deno.exit(0);
} else Deno.exit(2);
