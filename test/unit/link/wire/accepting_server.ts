/** Serves connections that end when their client ends, and prints its port. `kept`: with keepAccepting. */
import { createServer } from "node:net";
import process from "node:process";
import { keepAccepting } from "../../../../src/link/wire/keep_accepting.ts";

// As ktctl and the agent do. Deno (2.9.6) makes its first signal handler half a second after the start
// else, and panics where there is no file left for it.
process.on("SIGTERM", () => process.exit());

const server = createServer((socket) => {
  socket.on("error", () => {}).resume();
  socket.on("end", () => socket.end("served"));
});
if (Deno.args[0] === "kept") keepAccepting(server);
server.listen(0, "127.0.0.1", () => {
  console.log((server.address() as { port: number }).port);
});
