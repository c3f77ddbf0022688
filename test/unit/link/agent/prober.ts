import type { Server } from "node:net";
import { exchange, freePorts, listen, read } from "./agent_process.ts";

/** How often a prober's worker asks. */
const PAUSE_MS = 5;

/** Answers a request with its name, and keeps which requests and connections it has seen. */
export class RecordingServer implements AsyncDisposable {
  readonly name: string;
  readonly port: number;
  /** By number. */
  readonly requests = new Set<number>();
  /** Connections that ended before a request came. */
  blank = 0;
  readonly #sockets = new Set<{ destroy(): void }>();
  #server: Server | undefined;

  private constructor(name: string, port: number) {
    this.name = name;
    this.port = port;
  }

  static async start(name: string): Promise<RecordingServer> {
    const [port] = await freePorts(1);
    const server = new RecordingServer(name, port!);
    await server.start();
    return server;
  }

  async start(): Promise<void> {
    this.#server = await listen((socket) => {
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
      read(socket).then((text) => {
        if (text === "") this.blank++; // whoever had the connection has died
        else this.requests.add(Number(text));
        socket.end(`${this.name} ${text}`);
      }, () => this.blank++);
    }, this.port);
  }

  /** As a program that ends: what is open is reset. */
  async stop(): Promise<void> {
    const closed = this.#server?.[Symbol.asyncDispose]();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
    this.#server = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

/** Asks all the time, each request with a number of its own on a connection of its own. */
export class Prober {
  readonly #port: number;
  readonly #lost: number[] = [];
  readonly #answers = new Map<string, number>();
  readonly #workers: Promise<void>[];
  #requests = 0;
  #slowestMs = 0;
  #isEnding = false;

  private constructor(port: number, workers: number) {
    this.#port = port;
    this.#workers = Array.from({ length: workers }, () => this.#work());
  }

  static start(port: number, workers: number): Prober {
    return new Prober(port, workers);
  }

  /** Resolves when so many more requests have been answered by that server. */
  async answeredBy(name: string, count: number): Promise<void> {
    const enough = (this.#answers.get(name) ?? 0) + count;
    while ((this.#answers.get(name) ?? 0) < enough) await pause(PAUSE_MS);
  }

  async stop(): Promise<
    { requests: number; lost: readonly number[]; slowestMs: number }
  > {
    this.#isEnding = true;
    await Promise.all(this.#workers);
    return {
      requests: this.#requests,
      lost: this.#lost,
      slowestMs: this.#slowestMs,
    };
  }

  async #work(): Promise<void> {
    while (!this.#isEnding) {
      const id = this.#requests++;
      const begun = performance.now();
      const answer = await exchange(this.#port, String(id)).catch(() => "");
      this.#slowestMs = Math.max(this.#slowestMs, performance.now() - begun);
      const [name = "", number] = answer.split(" ");
      if (number === String(id)) {
        this.#answers.set(name, (this.#answers.get(name) ?? 0) + 1);
      } else this.#lost.push(id);
      await pause(PAUSE_MS);
    }
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
