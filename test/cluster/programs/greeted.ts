// Connects to a server that speaks first: says nothing until it has its greeting.
//
//   deno run -A greeted.ts raw 7000
const [hostname = "", port = ""] = Deno.args;
const start = performance.now();
const connection = await Deno.connect({ hostname, port: Number(port) });
const text = async () => {
  const bytes = new Uint8Array(1024);
  const count = await connection.read(bytes);
  return new TextDecoder().decode(bytes.subarray(0, count ?? 0));
};
const greeting = await text();
const ms = Math.round(performance.now() - start);
await connection.write(new TextEncoder().encode("QUIT version: demo\r\n"));
const echo = await text();
console.log(JSON.stringify({ greeting, ms, echo }));
connection.close();
