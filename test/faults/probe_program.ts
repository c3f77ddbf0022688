// Asks Services ten times a second each, whatever became of the requests before, and prints each answer.
// One program for all runs of a series, as a process for each request would take half of the machine.
//
// Reads lines:   watch ID HOST [HEADER: VALUE]    end ID
// Prints lines:  ID AT ANSWER     milliseconds since it was started; "begun", "ended", or who answered
import { get } from "node:http";
import { TextLineStream } from "../cluster/text_line_stream.ts";

const INTERVAL_MS = 100;
/** Whoever asks goes then. It is longer than any outage that is allowed. */
const PATIENCE_MS = 10_000;

const watches = new Map<string, ReturnType<typeof setInterval>>();

function tell(id: string, what: string): void {
  console.log(`${id} ${performance.now().toFixed(0)} ${what}`);
}

function ask(id: string, host: string, headers: Record<string, string>): void {
  const options = {
    host,
    port: 80,
    headers,
    agent: false,
    timeout: PATIENCE_MS,
  };
  const request = get(options, async (response) => {
    let text = "";
    try {
      for await (const part of response) text += part;
    } catch {
      return; // it was cut in the midst
    }
    const answer = /pod=(\S+)/.exec(text)?.[1];
    if (answer !== undefined && watches.has(id)) tell(id, answer);
  });
  request.on("timeout", () => request.destroy());
  request.on("error", () => {}); // what is not answered is not told
}

const commands: Record<string, (id: string, ...words: string[]) => void> = {
  watch(id, host = "", header, value = "") {
    tell(id, "begun");
    const headers = header === undefined
      ? {}
      : { [header.replace(":", "")]: value };
    watches.set(id, setInterval(() => ask(id, host, headers), INTERVAL_MS));
  },
  end(id) {
    clearInterval(watches.get(id));
    watches.delete(id);
    tell(id, "ended");
  },
};

const lines = Deno.stdin.readable.pipeThrough(new TextDecoderStream())
  .pipeThrough(new TextLineStream());
for await (const line of lines) {
  const [command = "", id = "", ...words] = line.split(" ");
  commands[command]?.(id, ...words);
}
Deno.exit(); // requests that wait are of no use to anybody
