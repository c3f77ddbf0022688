// A program in a terminal of its own, as its user has it: Debian's `script`, which is always there.
import { fileURLToPath } from "node:url";
import { eventually } from "./laptop.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

export class Terminal implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #keys: WritableStreamDefaultWriter<Uint8Array>;
  readonly #read: Promise<void>;
  #screen = "";

  /** @param command For a shell, in the project's folder. */
  constructor(command: string, env: Record<string, string>) {
    this.#child = new Deno.Command("script", {
      args: ["--quiet", "--return", "--command", command, "/dev/null"],
      cwd: root,
      env: { ...env, SHELL: "/bin/bash", TERM: "xterm", NO_COLOR: "1" },
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    this.#keys = this.#child.stdin.getWriter();
    const output = this.#child.stdout.pipeThrough(new TextDecoderStream());
    this.#read = (async () => {
      for await (const text of output) this.#screen += text;
    })();
  }

  get screen(): string {
    return this.#screen;
  }

  async shows(text: string): Promise<void> {
    const isThere = () => this.#screen.includes(text);
    await eventually(`the terminal shows "${text}"`, isThere, 60_000)
      .catch((error) => {
        throw new Error(`${error.message}: ${this.#screen}`);
      });
  }

  async type(text: string): Promise<void> {
    await this.#keys.write(new TextEncoder().encode(text));
  }

  async pressCtrlC(): Promise<void> {
    await this.type("\x03");
  }

  /** As somebody does who closes its window: the kernel hangs up. */
  close(): void {
    this.#child.kill("SIGKILL");
  }

  /** The exit code of the program. */
  async ended(): Promise<number> {
    const { code } = await this.#child.status;
    await this.#read;
    return code;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.close();
    } catch {
      // it has ended
    }
    await this.ended();
    await this.#keys.close().catch(() => {});
  }
}
