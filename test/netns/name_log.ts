// Runs inside a network namespace: a name server on loopback that knows no name, and prints those it is asked for.
import { createSocket } from "node:dgram";
import { decode } from "dns-packet";

const socket = createSocket("udp4");
socket.on("message", (message, { port, address }) => {
  console.log(decode(message).questions?.[0]?.name);
  message[2] = 0x81; // an answer
  message[3] = 0x83; // no such name
  socket.send(message, port, address);
});
socket.bind(53, "127.0.0.1", () => console.log("ready"));
