// 100 messages of growing length on a WebSocket, each sent back; prints who answered and how it ended.
//
//   deno run -A websocket_talk.ts ws://web/ '{"version": "demo"}'
const [url = "", headers = "{}"] = Deno.args;
// Deno's own option, which the types of the web do not know
const options = { headers: JSON.parse(headers) } as unknown as string[];
const socket = new WebSocket(url, options);
socket.binaryType = "arraybuffer";
const sizes = Array.from({ length: 100 }, (_, i) => i * i * 25);
const greeting = Promise.withResolvers<string>();
const echoed = Promise.withResolvers<void>();
let count = 0;
socket.onmessage = ({ data }) => {
  if (typeof data === "string") return greeting.resolve(data);
  const bytes = new Uint8Array(data);
  if (bytes.length !== sizes[count] || bytes.some((byte) => byte !== count)) {
    echoed.reject(new Error(`message ${count} came back changed`));
  }
  if (++count === sizes.length) echoed.resolve();
};
socket.onerror = (event) => greeting.reject((event as ErrorEvent).error);
console.log((await greeting.promise).trim());
sizes.forEach((size, i) => socket.send(new Uint8Array(size).fill(i)));
await echoed.promise;
const closed = new Promise<CloseEvent>((resolve) => socket.onclose = resolve);
socket.close(1000);
const { code } = await closed;
console.log(`${count} messages, closed with ${code}`);
