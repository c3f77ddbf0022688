import { clientKey } from "../wire/client_key.ts";
import type { AgentClient } from "./agent_config.ts";

/** Who left so long ago is forgotten. */
const REMEMBERED_SECONDS = 3600;

/** Which clients are logged in, and when others were, by the names that they logged in with. */
export class ClientRoster {
  readonly #clients = new Map<string, { links: number; since: number }>();

  enter(name: string): void {
    this.#forget();
    this.#count(name, 1);
  }

  leave(name: string): void {
    this.#count(name, -1);
  }

  list(): Record<string, AgentClient> {
    return Object.fromEntries(
      [...this.#clients].map(([name, { links, since }]) => [
        clientKey(name),
        { attached: links > 0, since },
      ]),
    );
  }

  #count(name: string, change: 1 | -1): void {
    const links = (this.#clients.get(name)?.links ?? 0) + change;
    this.#clients.set(name, { links, since: unixSeconds() });
  }

  #forget(): void {
    const limit = unixSeconds() - REMEMBERED_SECONDS;
    for (const [name, { links, since }] of this.#clients) {
      if (links === 0 && since < limit) this.#clients.delete(name);
    }
  }
}

function unixSeconds(): number {
  return Math.floor(Date.now() / 1000);
}
