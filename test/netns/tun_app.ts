// Runs inside a network namespace: an application that knows nothing of a tunnel. Does what its
// first argument names and prints the outcome.
import { createSocket } from "node:dgram";
import { createHash, randomBytes } from "node:crypto";
import { connect, type Socket } from "node:net";
import { buffer } from "node:stream/consumers";

const [what, host = "", port = "", count = ""] = Deno.args;

function open(): Promise<Socket> {
  const socket = connect({ host, port: Number(port), allowHalfOpen: true });
  return new Promise((resolve, reject) => {
    socket.once("connect", () => resolve(socket));
    socket.once("error", reject);
  });
}

/** Sends a random stream; `echo` gives it back. */
async function transfer(bytes: number): Promise<string> {
  const socket = await open();
  const sent = createHash("sha256");
  const back = (async () => {
    const hash = createHash("sha256");
    let length = 0;
    let text = "";
    for await (const chunk of socket) {
      hash.update(chunk as Uint8Array);
      length += (chunk as Uint8Array).length;
      if (length <= 64) text += String(chunk);
    }
    return { digest: hash.digest("hex"), length, text };
  })();
  const block = randomBytes(1 << 20);
  for (let done = 0; done < bytes; done += block.length) {
    block.writeUInt32BE(done, 0);
    const part = block.subarray(0, Math.min(block.length, bytes - done));
    sent.update(part);
    await new Promise((resolve) =>
      socket.write(Uint8Array.from(part), resolve)
    );
  }
  socket.end();
  const { digest, length, text } = await back;
  const expected = sent.digest("hex");
  if (text === expected) return "hash same";
  return digest === expected ? "same" : `different: ${length} ${text}`;
}

/** How it ends: the error's code, or "end". */
function endOf(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    socket.once(
      "error",
      ({ code }: { code?: string }) => resolve(code ?? "end"),
    );
    socket.once("end", () => resolve("end"));
    socket.resume();
  });
}

async function ask(): Promise<string> {
  const socket = await open();
  socket.end(count);
  return String(await buffer(socket));
}

const deeds: Record<string, () => Promise<string>> = {
  transfer: () => transfer(Number(count)),
  async connect() {
    const began = performance.now();
    const outcome = await open().then(
      (socket) => {
        socket.destroy();
        return "connected";
      },
      (error) => error.code,
    );
    return `${outcome} ${performance.now() - began < 2_000 ? "fast" : "slow"}`;
  },
  /** Writes, and tells how the connection ended. */
  async end() {
    const socket = await open();
    socket.write("x");
    return await endOf(socket);
  },
  async reset() {
    const socket = await open();
    socket.write("x");
    await new Promise((resolve) => setTimeout(resolve, 200));
    socket.resetAndDestroy();
    return "reset";
  },
  async many() {
    const answers = await Promise.all(
      Array.from({ length: Number(count) }, () => ask()),
    );
    return `${answers.filter((answer) => answer === count).length}`;
  },
  /** Keeps a connection, says so, and tells when it ends. */
  async hold() {
    const socket = await open();
    console.log("open");
    return await endOf(socket);
  },
  /** One datagram of so many bytes, or as text, and its answer. */
  udp() {
    const socket = createSocket(host.includes(":") ? "udp6" : "udp4");
    const size = Number(count);
    const data = size > 0 ? randomBytes(size) : new TextEncoder().encode(count);
    const { promise, resolve } = Promise.withResolvers<string>();
    socket.on("message", (answer) => {
      const isSame = size > 0 && answer.equals(data as Uint8Array);
      resolve(isSame ? "same" : String(answer).slice(0, 100));
    });
    socket.on("error", ({ message }) => resolve(message));
    socket.connect(Number(port), host, () => socket.send(data));
    const timer = setTimeout(() => resolve("no answer"), 3_000);
    return promise.finally(() => {
      clearTimeout(timer);
      socket.close();
    });
  },
};

console.log(await deeds[what!]!().catch((error) => `${error.code ?? error}`));
Deno.exit();
