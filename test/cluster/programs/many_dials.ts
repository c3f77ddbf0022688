// Opens so many connections at once, sends a line on each, and counts those on which it came back.
//
//   deno run -A many_dials.ts 10.96.1.2 9000 500
const [hostname = "", port = "", count = ""] = Deno.args;

async function talk(number: number): Promise<boolean> {
  using connection = await Deno.connect({ hostname, port: Number(port) });
  const line = `connection ${number}\n`;
  await connection.write(new TextEncoder().encode(line));
  await connection.closeWrite(); // the echo ends when we do
  const text = await new Response(connection.readable).text();
  return text === line;
}

const all = Array.from({ length: Number(count) }, (_, number) => talk(number));
const results = await Promise.allSettled(all);
const good =
  results.filter((one) => one.status === "fulfilled" && one.value).length;
const [reason] = results.flatMap((one) =>
  one.status === "rejected" ? [String(one.reason)] : []
);
console.log(JSON.stringify({ good, reason }));
