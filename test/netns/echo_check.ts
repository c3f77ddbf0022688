// Runs inside a network namespace: sends bytes, half-closes, and compares what comes back.
import { connect } from "node:net";
import { createHash, randomBytes } from "node:crypto";

const BYTES = 32 * 1024 * 1024;
const [host, port] = Deno.args;
const data = randomBytes(BYTES);
const socket = connect({
  host: host!,
  port: Number(port),
  allowHalfOpen: true,
});
socket.end(data);
const hash = createHash("sha256");
for await (const chunk of socket) hash.update(chunk as Uint8Array);
const sent = createHash("sha256").update(data).digest("hex");
console.log(hash.digest("hex") === sent ? "same" : "different");
