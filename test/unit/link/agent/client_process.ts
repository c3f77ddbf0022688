import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { fileURLToPath } from "node:url";
import {
  type AgentProcess,
  limitedDeno,
  residentMiB,
} from "./agent_process.ts";

/** The real client in a process of its own, which hands the agent's port to a local one. */
export class ClientProcess implements AsyncDisposable {
  readonly process: ChildProcess;
  log = "";

  private constructor(child: ChildProcess) {
    this.process = child;
    child.stderr!.on("data", (text) => this.log += text);
  }

  /** Returns once it has the port. */
  static async attach(
    agent: AgentProcess,
    localPort: number,
    options: { via?: number; openFiles?: number } = {},
  ): Promise<ClientProcess> {
    const { via = agent.config.sshPort, openFiles } = options;
    const args = [
      ...[agent.port, via, localPort, agent.hostKeys.publicKey],
      agent.protocol,
    ];
    const program = new URL("attached_client.ts", import.meta.url);
    const command = [
      "run",
      "-A",
      fileURLToPath(program),
      ...args.map(String),
    ];
    const client = spawn(...limitedDeno(command, openFiles), {
      stdio: ["pipe", "pipe", "pipe"],
    });
    client.stdin!.end(agent.clientKeys.privateKey);
    const attached = new ClientProcess(client);
    await Promise.race([
      once(client.stdout!, "data"),
      once(client, "exit").then(() => {
        throw new TypeError(`Client ended: ${attached.log}`);
      }),
    ]);
    return attached;
  }

  get pid(): number {
    return this.process.pid!;
  }

  /** Resident memory, in MiB. */
  async memory(): Promise<number> {
    return await residentMiB(this.pid);
  }

  get isAlive(): boolean {
    return this.process.exitCode === null && this.process.signalCode === null;
  }

  signal(name: "SIGSTOP" | "SIGCONT"): void {
    process.kill(this.pid, name);
  }

  async kill(): Promise<void> {
    if (!this.isAlive) return;
    this.process.kill("SIGKILL");
    await once(this.process, "exit");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }
}
