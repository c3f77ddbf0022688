import type { AgentProcess } from "./agent_process.ts";
import type { ClientProcess } from "./client_process.ts";

const LOOK_EVERY_MS = 100;

/** The most that agent and client have of memory while it is watched, in MiB. */
export class Memory implements AsyncDisposable {
  readonly #ends: { agent: AgentProcess; client: ClientProcess };
  readonly #watching: Promise<void>;
  #first = { agent: 0, client: 0 };
  #most = { agent: 0, client: 0 };
  #isOver = false;

  private constructor(ends: { agent: AgentProcess; client: ClientProcess }) {
    this.#ends = ends;
    this.#watching = this.#watch();
  }

  static watch(
    ends: { agent: AgentProcess; client: ClientProcess },
  ): Memory {
    return new Memory(ends);
  }

  get agent(): number {
    return Math.round(this.#most.agent);
  }

  get client(): number {
    return Math.round(this.#most.client);
  }

  tell(what: string): void {
    const [agent, client] = [this.#first.agent, this.#first.client]
      .map(Math.round);
    console.log(
      `${what}: agent ${agent} → ${this.agent} MiB, client ${client} → ${this.client} MiB`,
    );
  }

  async #watch(): Promise<void> {
    while (!this.#isOver) {
      const { agent, client } = this.#ends;
      const now = {
        agent: await agent.memory(),
        client: await client.memory(),
      };
      if (this.#first.agent === 0) this.#first = now;
      this.#most = {
        agent: Math.max(this.#most.agent, now.agent),
        client: Math.max(this.#most.client, now.client),
      };
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true;
    await this.#watching;
  }
}
