// The demo program as a process of this machine: what a developer runs on the laptop.
import process from "node:process";
import { fileURLToPath } from "node:url";

export interface LocalDemo extends AsyncDisposable {
  readonly name: string;
  readonly port: number;
  readonly tcpPort: number;
  readonly grpcPort: number;
  readonly pid: number;
}

export interface LocalDemoOptions {
  name?: string;
  /** Ports; free ones unless told. */
  port?: number;
  tcpPort?: number;
  grpcPort?: number;
  /** A command that runs another one somewhere else. */
  within?: readonly string[];
}

/** Starts it on 127.0.0.1; returns when it listens. Ends at the end of `await using`. */
export async function startLocalDemo(
  options: LocalDemoOptions = {},
): Promise<LocalDemo> {
  const [program, ...words] = [...options.within ?? [], Deno.execPath()];
  const child = new Deno.Command(program!, {
    args: [
      ...words,
      "run",
      "-A",
      fileURLToPath(new URL("demo.ts", import.meta.url)),
      `--name=${options.name ?? "laptop"}`,
      `--port=${options.port ?? 0}`,
      `--tcp-port=${options.tcpPort ?? 0}`,
      `--grpc-port=${options.grpcPort ?? 0}`,
    ],
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const stop = async () => {
    try {
      process.kill(child.pid, "SIGTERM");
    } catch {
      // it has ended
    }
    await child.status;
  };
  const lines = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let line = "";
  while (!line.includes("\n")) {
    const { value, done } = await lines.read();
    if (done) {
      throw new Error(
        `the local demo ended with code ${(await child.status).code}`,
      );
    }
    line += value;
  }
  await lines.cancel();
  return { ...JSON.parse(line), pid: child.pid, [Symbol.asyncDispose]: stop };
}
