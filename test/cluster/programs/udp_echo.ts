// Sends each datagram back, in capitals: for a pod of the tests. node:dgram needs no flag.
//
//   deno run -A udp_echo.ts 9001
import { createSocket } from "node:dgram";

const socket = createSocket("udp4");
socket.on("message", (message, { port, address }) => {
  socket.send(message.toString().toUpperCase(), port, address);
});
socket.bind(Number(Deno.args[0]), "0.0.0.0");
