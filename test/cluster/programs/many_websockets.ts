// Opens so many WebSockets, says nothing for so long, then a word on each, and counts those that hear it.
//
//   deno run -A many_websockets.ts ws://web/ 500 12000
import { once } from "node:events";

const [url = "", count = "", silentMs = ""] = Deno.args;

async function open(): Promise<WebSocket> {
  const socket = new WebSocket(url);
  await once(socket, "message"); // its greeting
  return socket;
}

async function talk(socket: WebSocket, word: string): Promise<boolean> {
  if (socket.readyState !== WebSocket.OPEN) return false;
  const heard = Promise.race([once(socket, "message"), once(socket, "close")]);
  socket.send(word);
  const [event] = await heard;
  return event.data === word;
}

const sockets = await Promise.all(Array.from({ length: Number(count) }, open));
await new Promise((resolve) => setTimeout(resolve, Number(silentMs)));
const good = await Promise.all(
  sockets.map((socket, at) => talk(socket, `word ${at}`)),
);
console.log(JSON.stringify({ good: good.filter((is) => is).length }));
Deno.exit(0);
