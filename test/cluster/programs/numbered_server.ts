// Takes HTTP requests whose bodies begin with a number, one on each connection, and keeps which have
// come whole, and how many connections ended before theirs had.
//
//   numbered_server.ts NAME PORT
//
// Prints its port. Answers a POST a moment later with NAME, and a GET with all it has.
import { type AddressInfo, createServer, type Socket } from "node:net";

/** So that some are waiting at any moment. */
const WORK_MS = 50;

const [name = "", port] = Deno.args;
const numbers: number[] = [];
let cut = 0;

function answer(socket: Socket, text: string): void {
  const head = `HTTP/1.1 200 OK\r\nContent-Length: ${text.length}\r\n`;
  socket.end(`${head}Connection: close\r\n\r\n${text}`);
}

function serve(socket: Socket): void {
  let text = "";
  let isWhole = false;
  socket.setEncoding("latin1").on("data", (chunk: string) => {
    text += chunk;
    const [head = "", body] = text.split("\r\n\r\n");
    const length = Number(/^content-length: (\d+)/im.exec(head)?.[1] ?? 0);
    if (isWhole || body === undefined || body.length < length) return;
    isWhole = true;
    if (head.startsWith("GET")) {
      return answer(socket, JSON.stringify({ numbers, cut }));
    }
    const number = parseInt(body);
    numbers.push(number);
    setTimeout(() => answer(socket, `${name} ${number}`), WORK_MS);
  });
  socket.on("error", () => {}).on("close", () => isWhole || cut++);
}

const server = createServer(serve).listen(Number(port), () => {
  console.log((server.address() as AddressInfo).port);
});
