// Sends numbered datagrams from one socket, and prints what comes back, as JSON.
//
//   deno run -A udp_talk.ts 10.96.1.2 9001 20
import { createSocket } from "node:dgram";

const [host = "", port = "", count = ""] = Deno.args;
const socket = createSocket("udp4");
const answers: string[] = [];
const done = Promise.withResolvers<void>();
const timer = setTimeout(done.resolve, 10_000);
socket.on("message", (message) => {
  answers.push(message.toString());
  if (answers.length === Number(count)) done.resolve();
});
socket.bind(0, () => {
  for (let number = 0; number < Number(count); number++) {
    socket.send(
      `datagram ${number} ${"x".repeat(number * 50)}`,
      Number(port),
      host,
    );
  }
});
await done.promise;
clearTimeout(timer);
socket.close();
console.log(JSON.stringify(answers.sort()));
