// POST requests with a number and a body each, on a connection of its own, from many clients at once, for
// as long as its input lasts. Prints a line when it has begun; at the end, as JSON, by whom each number
// was answered, and which were told as failed.
//
//   numbered_requests.ts HOST CLIENTS
import { request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

const PAUSE_MS = 100;
const BODY_BYTES = 4_096;

const [host = "", clients] = Deno.args;
const answered: Record<string, number[]> = {};
const failed: { number: number; why: string }[] = [];
let next = 0;
let isEnding = false;

function post(number: number): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const options = { host, method: "POST", agent: false, timeout: 20_000 };
  const asked = request(options, (response) => {
    let text = "";
    response.on("data", (chunk) => text += chunk);
    response.on("error", reject).on("end", () => resolve(text));
  });
  asked.on("error", reject);
  asked.on("timeout", () => asked.destroy(new Error("no answer in 20 s")));
  asked.end(`${number} `.padEnd(BODY_BYTES, "x"));
  return promise;
}

async function ask(): Promise<void> {
  while (!isEnding) {
    const number = next++;
    try {
      const [name = "", its] = (await post(number)).split(" ");
      if (Number(its) !== number) throw new Error(`answered as ${its}`);
      (answered[name] ??= []).push(number);
    } catch (error) {
      failed.push({ number, why: (error as Error).message });
    }
    await sleep(PAUSE_MS);
  }
}

console.log("begun");
const asking = Array.from({ length: Number(clients) }, ask);
for await (const _ of Deno.stdin.readable);
isEnding = true;
await Promise.all(asking);
console.log(JSON.stringify({ answered, failed }));
Deno.exit();
