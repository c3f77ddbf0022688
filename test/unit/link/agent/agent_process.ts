import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { connect, createServer, type Server, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";
import {
  agentCommand,
  type AgentConfig,
  type AgentPort,
  type AgentStatus,
} from "../../../../src/link/agent/agent_config.ts";
import type { LinkProtocol } from "../../../../src/link/wire/link_protocol.ts";
import { keysDigest } from "../../../../src/link/wire/keys_digest.ts";
import type { Link } from "../../../../src/link/client/link.ts";
import type { OpenLinkOptions } from "../../../../src/link/client/open_link_options.ts";
import { openSshLink } from "../../../../src/link/client/open_ssh_link.ts";
import { openTlsLink } from "../../../../src/link/client/open_tls_link.ts";
import {
  generateKeyPair,
  type SshKeyPair,
} from "../../../../src/link/client/ssh_keys.ts";

const AGENT = fileURLToPath(
  new URL("../../../../src/link/agent/agent.ts", import.meta.url),
);

const CONFIG: AgentConfig = {
  sshPort: 0,
  statusPort: 0,
  ports: [],
  ready: "always",
  clientTimeoutMs: 4000,
  lingerMs: 500,
};

/** The pod's command, but for Deno itself and what the agent is told. */
export function podCommand(source: string): string[] {
  return agentCommand(CONFIG, { source, keysDigest: "" }).slice(1, -2);
}

const V8_FLAGS = podCommand("").find((argument) =>
  argument.startsWith("--v8-flags")
)!;

/** The real agent as a process of its own, on this machine's loopback. */
export class AgentProcess implements AsyncDisposable {
  readonly config: AgentConfig;
  readonly hostKeys: SshKeyPair;
  readonly clientKeys: SshKeyPair;
  readonly process: ChildProcess;
  readonly protocol: LinkProtocol;
  readonly #dir: string;
  log = "";

  private constructor(
    parts:
      & Pick<
        AgentProcess,
        "config" | "hostKeys" | "clientKeys" | "process" | "protocol"
      >
      & { dir: string },
  ) {
    this.config = parts.config;
    this.hostKeys = parts.hostKeys;
    this.clientKeys = parts.clientKeys;
    this.process = parts.process;
    this.protocol = parts.protocol;
    this.#dir = parts.dir;
    this.process.stderr!.on("data", (text) => this.log += text);
  }

  static async start(
    options:
      & {
        fallback?: NonNullable<AgentPort["fallback"]>;
        command?: string[];
        env?: Record<string, string>;
        /** Whose digest the pod was made with. @default those that it has */
        madeWith?: SshKeyPair;
        /** How many files it may have open. @default as many as the tests */
        openFiles?: number;
        /** What its links speak. @default "tls" */
        protocol?: LinkProtocol;
      }
      & Partial<
        AgentConfig
      > = {},
    attempt = 1,
  ): Promise<AgentProcess> {
    const {
      fallback,
      command = ["run", V8_FLAGS, "-A", AGENT],
      env,
      madeWith,
      openFiles,
      protocol = "tls",
      ...rest
    } = options;
    const [sshPort, statusPort, port] = await freePorts(3) as [
      number,
      number,
      number,
    ];
    const config: AgentConfig = {
      ...CONFIG,
      sshPort,
      statusPort,
      ports: [{ port, ...(fallback && { fallback }) }],
      ...rest,
    };
    const dir = await mkdtemp(`${tmpdir()}/ktctl-agent-`);
    const [hostKeys, clientKeys] = [generateKeyPair(), generateKeyPair()];
    await writeFile(`${dir}/host_key`, hostKeys.privateKey);
    await writeFile(`${dir}/authorized_key`, clientKeys.publicKey);
    const args = [
      ...command,
      JSON.stringify(config),
      keysDigest((madeWith ?? hostKeys).publicKey, clientKeys.publicKey),
      dir,
    ];
    const child = spawn(...limitedDeno(args, openFiles), {
      stdio: ["ignore", "ignore", "pipe"],
      ...(env && { env }),
    });
    const agent = new AgentProcess({
      config,
      hostKeys,
      clientKeys,
      process: child,
      protocol,
      dir,
    });
    try {
      await agent.logged("Z ready");
      return agent;
    } catch (error) {
      await agent[Symbol.asyncDispose]();
      // another test has taken one of the free ports meanwhile
      if (attempt < 3 && /in use/i.test(String(error))) {
        return await AgentProcess.start(options, attempt + 1);
      }
      throw error;
    }
  }

  /** The first of the exposed ports. */
  get port(): number {
    return this.config.ports[0]!.port;
  }

  /** Resolves once the log has so many lines with this text. */
  async logged(text: string, count = 1): Promise<void> {
    while (this.log.split(text).length <= count) {
      const { exitCode, signalCode } = this.process;
      if (exitCode !== null || signalCode !== null) {
        throw new TypeError(`Agent ended: ${this.log}`);
      }
      await Promise.race([
        once(this.process.stderr!, "data"),
        once(this.process, "exit"),
      ]);
    }
  }

  /** A link over a plain TCP connection. */
  async link(
    options: Partial<OpenLinkOptions> & { via?: number } = {},
  ): Promise<Link> {
    const stream = connect({
      port: options.via ?? this.config.sshPort,
      host: "127.0.0.1",
    });
    const open = this.protocol === "ssh" ? openSshLink : openTlsLink;
    return await open(stream, {
      privateKey: this.clientKeys.privateKey,
      hostPublicKey: this.hostKeys.publicKey,
      ...options,
    });
  }

  async status(): Promise<AgentStatus> {
    return await (await fetch(
      `http://127.0.0.1:${this.config.statusPort}/status`,
    )).json();
  }

  async ready(): Promise<number> {
    const response = await fetch(
      `http://127.0.0.1:${this.config.statusPort}/ready`,
    );
    await response.body?.cancel();
    return response.status;
  }

  async openFiles(): Promise<number> {
    return (await readdir(`/proc/${this.process.pid}/fd`)).length;
  }

  /** Resident memory, in MiB. */
  async memory(): Promise<number> {
    return await residentMiB(this.process.pid!);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.process.exitCode === null && this.process.signalCode === null) {
      this.process.kill("SIGKILL");
      await once(this.process, "exit");
    }
    await rm(this.#dir, { recursive: true });
  }
}

/** Resident memory of a process, in MiB. */
export async function residentMiB(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return Number(/VmRSS:\s+(\d+)/.exec(status)![1]) / 1024;
}

/** Deno's command line, through a shell where it may have only so many files open. */
export function limitedDeno(
  args: readonly string[],
  openFiles: number | undefined,
): [string, string[]] {
  if (openFiles === undefined) return [Deno.execPath(), [...args]];
  // the hard limit too, to which Deno raises its own
  const command = `ulimit -n ${openFiles} && exec "$0" "$@"`;
  return ["/bin/sh", ["-c", command, Deno.execPath(), ...args]];
}

/** Ports that were free a moment ago. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, () => listen(() => {})),
  );
  const ports = servers.map((server) => portOf(server));
  await Promise.all(servers.map((server) => server[Symbol.asyncDispose]()));
  return ports;
}

/** A TCP server on the loopback that serves half-closed connections. */
export async function listen(
  serve: (socket: Socket) => void,
  port = 0,
): Promise<Server> {
  const server = createServer(
    { allowHalfOpen: true, noDelay: true },
    (socket) => {
      socket.on("error", () => {});
      serve(socket);
    },
  );
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  return server;
}

export function portOf(server: Server): number {
  return (server.address() as { port: number }).port;
}

/** Sends a request, half-closes, and returns all that comes back: what `nc -N` does. */
export async function exchange(
  port: number,
  request: string | Uint8Array,
): Promise<string> {
  const socket = connect({
    port,
    host: "127.0.0.1",
    allowHalfOpen: true,
    noDelay: true,
  });
  socket.end(request);
  return await read(socket);
}

/** All bytes as text until the other side ends. Does not end this side. */
export function read(stream: Duplex): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  let text = "";
  stream.on("data", (chunk) => text += chunk);
  stream.once("end", () => resolve(text)).once("error", reject);
  stream.once("close", () => reject(new TypeError("Closed before the end")));
  return promise;
}

/** Answers with its name and the length of the request, once the request has ended. */
export async function answering(name: string, port = 0): Promise<Server> {
  return await listen((socket) => {
    read(socket).then((text) => socket.end(`${name} ${text.length}`), () => {});
  }, port);
}
