// A machine of the test's own, as far as networks go.
import {
  exec,
  type ExecOptions,
  type ExecResult,
} from "../../src/core/exec.ts";
import { randomLower } from "../../src/core/random_name.ts";

/** With a way out that leads nowhere, so that every address has a route. */
export class NetworkNamespace implements AsyncDisposable {
  readonly name: string;

  private constructor(name: string) {
    this.name = name;
  }

  static async create(): Promise<NetworkNamespace> {
    const space = new NetworkNamespace(`ktctl-test-${randomLower(6)}`);
    await must(exec("ip", ["netns", "add", space.name]));
    try {
      await space.batch([
        "link set lo up",
        "link add out type veth peer name far",
        "link set out up",
        "link set far up",
        "address add 198.18.0.2/24 dev out",
        "address add fd18::2/64 dev out nodad",
        "route add default via 198.18.0.1",
        "route add default via fd18::1 dev out",
      ]);
      return space;
    } catch (error) {
      await space[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Runs a program inside. */
  exec: typeof exec = (
    command: string,
    args: readonly string[],
    options?: ExecOptions,
  ) => exec("ip", ["netns", "exec", this.name, command, ...args], options);

  /** Runs a program inside that has to succeed; gives its output. */
  async run(command: string, ...args: string[]): Promise<string> {
    return (await must(this.exec(command, args))).stdout;
  }

  /** Commands of `ip`. */
  async batch(lines: readonly string[]): Promise<void> {
    const stdin = lines.map((line) => `${line}\n`).join("");
    await must(this.exec("ip", ["-batch", "-"], { stdin }));
  }

  /** A script of the tests, inside; killed when disposed. */
  spawn(script: string, config: unknown): Deno.ChildProcess {
    return new Deno.Command("ip", {
      args: [
        "netns",
        "exec",
        this.name,
        Deno.execPath(),
        "run",
        "-A",
        new URL(script, import.meta.url).pathname,
        JSON.stringify(config),
      ],
      stdin: "null",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await must(exec("ip", ["netns", "delete", this.name]));
  }
}

async function must(result: Promise<ExecResult>): Promise<ExecResult> {
  const { code, stdout, stderr } = await result;
  if (code !== 0) throw new Error(`exit code ${code}: ${stderr}${stdout}`);
  return { code, stdout, stderr };
}
