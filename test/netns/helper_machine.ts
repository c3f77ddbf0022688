/**
 * A machine of the test's own for the root helper: network, /run and /etc are a namespace's, and it
 * has a user who may use sudo. Programs and kernel are real.
 */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { type CommandResult, run, succeeded } from "../cluster/command.ts";
import { programWords } from "../cluster/tested_program.ts";
import { TextLineStream } from "../cluster/text_line_stream.ts";
import {
  asUser,
  CHECKOUT,
  DENO,
  foreignFilesWords,
  PLACE,
  sudoScript,
  userScript,
} from "./machine_user.ts";

export { PASSWORD } from "./machine_user.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

export interface SudoRules {
  /** What the user may do: "NOPASSWD: ALL", or "ALL" for the password. There is no user without. */
  readonly sudoers?: string;
  readonly defaults?: string;
}

export class HelperMachine implements AsyncDisposable {
  #holder: Deno.ChildProcess;

  private constructor(holder: Deno.ChildProcess) {
    this.#holder = holder;
  }

  static async start({ sudoers, defaults }: SudoRules = {}) {
    const script = [
      "mount -t tmpfs tmpfs /run",
      "mount -t tmpfs tmpfs /mnt",
      "cp -a /etc /mnt/etc",
      "mount --bind /mnt/etc /etc",
      "ip link set lo up",
      ...(sudoers === undefined
        ? []
        : [...await userScript(), ...sudoScript(sudoers, defaults)]),
      "echo ready",
      "exec cat",
    ].join("\n");
    const holder = new Deno.Command("unshare", {
      args: [
        "--net",
        "--mount",
        "--propagation=private",
        "sh",
        "-ec",
        script,
      ],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    const lines = linesOf(holder.stdout);
    assert.equal((await lines.read()).value, "ready");
    await lines.cancel();
    return new HelperMachine(holder);
  }

  #enter(): string[] {
    return ["--target", `${this.#holder.pid}`, "--net", "--mount", "--wd=/"];
  }

  run(...words: string[]): Promise<CommandResult> {
    return run("nsenter", [...this.#enter(), ...words]);
  }

  async rules(): Promise<string> {
    return succeeded(await this.run("nft", "list", "ruleset"));
  }

  async journals(): Promise<string[]> {
    const { stdout } = await this.run("ls", "-A", "/run/ktctl");
    return stdout.split("\n").filter((name) => name.endsWith(".jsonl"));
  }

  /** Words that run the client of helper_user.ts inside, for root or for the user. */
  clientWords(as: "root" | "user"): string[] {
    const enter = ["nsenter", ...this.#enter()];
    const script = "test/netns/helper_user.ts";
    const flags = ["run", "-A", "--quiet"];
    return as === "root"
      ? [...enter, "setsid", Deno.execPath(), ...flags, `${root}/${script}`]
      : [...enter, ...asUser, DENO, ...flags, `${CHECKOUT}/${script}`];
  }

  startClient(as: "root" | "user" = "root"): HelperUser {
    return new HelperUser(this.clientWords(as));
  }

  /** ktctl itself, as root. */
  ktctl(...args: string[]): Promise<CommandResult> {
    return this.run(...programWords(), ...args);
  }

  /** The same as the user. */
  asUser(...args: string[]): Promise<CommandResult> {
    return this.run(...asUser, ...programWords(PLACE), ...args);
  }

  /** Starts a program inside that is talked to. */
  spawn(...words: string[]): Deno.ChildProcess {
    return new Deno.Command("nsenter", {
      args: [...this.#enter(), ...words],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
  }

  /** The program takes its time while there is a file /mnt/slow, and makes /mnt/begun. */
  async slowDown(program: string): Promise<void> {
    const script = `#!/bin/sh
if [ -e /mnt/slow ]; then touch /mnt/begun; sleep 0.5; fi
exec /mnt/${program}.real "$@"
`;
    const put = `set -e
path=$(command -v ${program})
cp "$path" /mnt/${program}.real
printf %s "$1" > /mnt/${program}.slow
chmod 755 /mnt/${program}.slow
mount --bind /mnt/${program}.slow "$path"`;
    succeeded(await this.run("sh", "-c", put, "sh", script));
  }

  /** Files in the user's home that are not the user's. */
  async foreignFiles(): Promise<string> {
    return succeeded(await this.run(...foreignFilesWords));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#holder.stdin.close();
    await this.#holder.status;
  }
}

/** What helper_user.ts says, line by line. */
export class HelperUser implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #lines: ReadableStreamDefaultReader<string>;
  /** Of its event "ready". */
  helper = 0;
  child = 0;
  swept: string[] = [];

  constructor([program = "", ...args]: string[]) {
    this.#child = new Deno.Command(program, {
      args,
      env: { KUBECONFIG: "/secret" },
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    this.#lines = linesOf(this.#child.stdout);
  }

  /** Its process, and the group of it, when root has it. */
  get pid(): number {
    return this.#child.pid;
  }

  /** The next event, which must be this one. */
  async says(event: string): Promise<Record<string, unknown>> {
    const { value = "{}" } = await this.#lines.read();
    const said = JSON.parse(value);
    assert.equal(said.event, event, value);
    return said;
  }

  async ready(): Promise<this> {
    return Object.assign(this, await this.says("ready"));
  }

  endInput(): Promise<void> {
    return this.#child.stdin.close();
  }

  kill(): void {
    this.#child.kill("SIGKILL");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#child.stdin.close().catch(() => {});
    await this.#child.status;
    await this.#lines.cancel();
    if (this.child > 0) await run("kill", [`${this.child}`]);
  }
}

function linesOf(
  stream: ReadableStream<Uint8Array>,
): ReadableStreamDefaultReader<string> {
  return stream.pipeThrough(new TextDecoderStream())
    .pipeThrough(new TextLineStream()).getReader();
}
