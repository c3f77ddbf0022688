import assert from "node:assert/strict";
import { TextLineStream } from "../../cluster/text_line_stream.ts";

const signals = new URL("../../../src/cli/signals.ts", import.meta.url);

/** A program that says what becomes of its signals; it obeys lines on stdin. */
const program = `
  import { listenForSignals } from ${JSON.stringify(signals)};
  const say = (text) => console.log(text);
  const { signal } = listenForSignals({
    onImpatience: () => say("impatient"),
    onDefect: (error) => say("defect " + error.message),
  });
  signal.addEventListener("abort", () => say("ends: " + signal.reason.message));
  // heard after the listener under test
  addEventListener("unhandledrejection", () => say("rejected"));
  say("listening");
  for await (const _ of Deno.stdin.readable) {
    Promise.reject(new Error("oh"));
  }
`;

class Program implements AsyncDisposable {
  #child = new Deno.Command(Deno.execPath(), {
    args: ["eval", "--ext=ts", program],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  #stdin = this.#child.stdin.getWriter();
  #lines = this.#child.stdout.pipeThrough(new TextDecoderStream()).pipeThrough(
    new TextLineStream(),
  ).getReader();

  async says(line: string): Promise<void> {
    const { value } = await this.#lines.read();
    assert.equal(value, line);
  }

  kill(signal: Deno.Signal): void {
    this.#child.kill(signal);
  }

  /** An error that nobody catches. */
  async fail(): Promise<void> {
    await this.#stdin.write(new Uint8Array([10]));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.kill("SIGKILL");
    await this.#child.status;
    await this.#lines.cancel();
    await this.#stdin.close().catch(() => {});
  }
}

/** No event tells that a second Ctrl-C is late enough to be meant. */
const aWhile = () => new Promise((resolve) => setTimeout(resolve, 900));

Deno.test({
  name:
    "one Ctrl-C that comes several times is one; a later one is impatience; what programs send never is",
  ignore: Deno.build.os === "windows",
  async fn() {
    await using it = new Program();
    await it.says("listening");
    it.kill("SIGINT");
    await it.says("ends: SIGINT");
    for (let i = 0; i < 3; i++) it.kill("SIGINT");
    await aWhile();
    it.kill("SIGTERM");
    it.kill("SIGHUP");
    await it.fail(); // in order with what the signals would have said
    await it.says("defect oh");
    await it.says("rejected");
    it.kill("SIGINT");
    await it.says("impatient");
  },
});

Deno.test({
  name:
    "after a defect has ended the command, the first Ctrl-C is not the second one; later defects are told",
  ignore: Deno.build.os === "windows",
  async fn() {
    await using it = new Program();
    await it.says("listening");
    await it.fail();
    await it.says("ends: oh");
    await it.says("rejected");
    await aWhile();
    it.kill("SIGINT");
    await it.fail();
    await it.says("defect oh");
    await it.says("rejected");
    await aWhile();
    it.kill("SIGINT");
    await it.says("impatient");
  },
});
