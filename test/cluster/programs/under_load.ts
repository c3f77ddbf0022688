// Requests without a mark, for as long as its input lasts: on kept-alive and on fresh connections, and
// on a WebSocket and a gRPC stream that stay open. `open` opens one more of each of the latter. Prints
// a line when it has begun, one for each `open`, and the counts as JSON at the end.
//
//   under_load.ts http://service http://service:50051
import http from "node:http";
import process from "node:process";
import readline from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { GrpcChannel } from "./grpc_channel.ts";

const [url = "", grpcUrl = ""] = Deno.args;
const counts = { kept: 0, fresh: 0, messages: 0, streams: 0 };
const failures: string[] = [];
let isEnding = false;

function request(agent: http.Agent | undefined): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const options = agent === undefined ? { agent: false as const } : { agent };
  const asked = http.get(url, { ...options, timeout: 10_000 }, (answer) => {
    let text = "";
    answer.setEncoding("utf8").on("data", (chunk) => text += chunk);
    answer.on("error", reject).on("end", () => {
      if (answer.statusCode === 200 && text.startsWith("demo pod=web-")) {
        resolve();
      } else reject(new Error(`${answer.statusCode} ${text}`));
    });
  });
  asked.on("error", reject);
  asked.on("timeout", () => asked.destroy(new Error("no answer in 10 s")));
  return promise;
}

async function ask(
  kind: "kept" | "fresh",
  { pauseMs, agent }: { pauseMs: number; agent?: http.Agent },
): Promise<void> {
  while (!isEnding) {
    await request(agent).then(
      () => counts[kind]++,
      (error: Error) => failures.push(`${kind}: ${error.message}`),
    );
    await sleep(pauseMs);
  }
}

/** Says a word each quarter of a second, and hears it again. */
async function talk(
  kind: string,
  say: (word: string) => void,
  heard: AsyncIterator<string>,
): Promise<void> {
  counts.streams++;
  try {
    for (let n = 0; !isEnding; n++) {
      say(`word ${n}`);
      const deadline = sleep(10_000).then(() => ({
        done: true,
        value: "no answer in 10 s",
      }));
      const { done, value } = await Promise.race([heard.next(), deadline]);
      if (done || value !== `word ${n}`) {
        throw new Error(`cut after ${n} words: ${value}`);
      }
      counts.messages++;
      await sleep(250);
    }
  } catch (error) {
    failures.push(`${kind}: ${(error as Error).message}`);
  }
}

async function openWebSocket(): Promise<() => Promise<void>> {
  const socket = new WebSocket(url.replace("http", "ws"));
  const words = new ReadableStream<string>({
    start(controller) {
      socket.onmessage = ({ data }) => controller.enqueue(String(data));
      socket.onclose = ({ code }) => {
        if (!isEnding) controller.error(new Error(`closed with ${code}`));
      };
    },
  })[Symbol.asyncIterator]();
  const { value } = await words.next(); // its greeting
  if (!String(value).startsWith("demo pod=web-")) failures.push(`ws: ${value}`);
  return async () => {
    await talk("ws", (word) => socket.send(word), words);
    socket.close();
  };
}

async function openGrpc(): Promise<() => Promise<void>> {
  const channel = await GrpcChannel.open(grpcUrl);
  const call = channel.call("Echo");
  return async () => {
    await talk("grpc", (word) => call.send(word), call.messages());
    call.end();
    channel.close();
  };
}

const work: Promise<void>[] = [];
async function openStreams(): Promise<void> {
  const streams = await Promise.all([openWebSocket(), openGrpc()]);
  work.push(...streams.map((run) => run()));
}

await openStreams();
const agent = new http.Agent({ keepAlive: true, maxSockets: 4 });
for (let i = 0; i < 4; i++) work.push(ask("kept", { pauseMs: 10, agent }));
work.push(ask("fresh", { pauseMs: 50 }));
console.log("begun");
for await (const line of readline.createInterface({ input: process.stdin })) {
  if (line !== "open") continue;
  await openStreams();
  console.log("opened");
}
isEnding = true;
await Promise.all(work);
agent.destroy();
console.log(JSON.stringify({ ...counts, failures }));
Deno.exit(0);
