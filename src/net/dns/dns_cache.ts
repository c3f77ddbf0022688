import { HEADER_BYTES, readHeader, withId } from "../../link/dns/dns_header.ts";
import { readEdns } from "../../link/dns/read_edns.ts";
import { readQuestion } from "../../link/dns/read_question.ts";
import { agedAnswer, answerLifetimeS } from "./answer_lifetime.ts";

/** An answer, and whether it may be kept. */
export interface FoundAnswer {
  readonly answer: Uint8Array;
  readonly cacheable: boolean;
}

export interface DnsCacheOptions {
  /** Upper bound of an answer's life, in seconds; 0 keeps none. */
  readonly maxTtlS: number;
  /** @default 4096 */
  readonly maxEntries?: number;
  /** Milliseconds of a clock that never goes back. @default performance.now */
  readonly now?: () => number;
}

interface Entry {
  readonly answer: Uint8Array;
  readonly storedMs: number;
  readonly untilMs: number;
}

/** Answers by question, for as long as they may be kept; a question under way is not asked twice. */
export class DnsCache {
  readonly #options: Required<DnsCacheOptions>;
  /** The oldest first. */
  readonly #entries = new Map<string, Entry>();
  readonly #underWay = new Map<string, Promise<Uint8Array>>();
  #generation = 0;

  constructor(options: DnsCacheOptions) {
    this.#options = {
      maxEntries: 4096,
      now: () => performance.now(),
      ...options,
    };
  }

  /** The answer to `query`, from here or by `find`. Rejects as `find` does, which is not kept. */
  async answer(
    query: Uint8Array,
    find: () => Promise<FoundAnswer>,
  ): Promise<Uint8Array> {
    const key = keyOf(query);
    if (key === undefined) return (await find()).answer;
    const kept = this.#kept(key);
    if (kept !== undefined) return answerFor(query, kept);
    let found = this.#underWay.get(key);
    if (found === undefined) {
      found = this.#find(key, find);
      this.#underWay.set(key, found);
    }
    return answerFor(query, await found);
  }

  /** Forgets everything: the name servers have changed. */
  clear(): void {
    this.#generation++;
    this.#entries.clear();
    this.#underWay.clear();
  }

  #kept(key: string): Uint8Array | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    const now = this.#options.now();
    if (now >= entry.untilMs) {
      this.#entries.delete(key);
      return undefined;
    }
    const ageS = Math.floor((now - entry.storedMs) / 1000);
    const leftS = Math.ceil((entry.untilMs - now) / 1000);
    return agedAnswer(entry.answer, ageS, leftS);
  }

  async #find(
    key: string,
    find: () => Promise<FoundAnswer>,
  ): Promise<Uint8Array> {
    const generation = this.#generation;
    try {
      const { answer, cacheable } = await find();
      if (cacheable && generation === this.#generation) this.#keep(key, answer);
      return answer;
    } finally {
      if (generation === this.#generation) this.#underWay.delete(key);
    }
  }

  #keep(key: string, answer: Uint8Array): void {
    const { maxTtlS, maxEntries, now } = this.#options;
    const lifetimeS = Math.min(maxTtlS, answerLifetimeS(answer));
    if (lifetimeS <= 0) return;
    const storedMs = now();
    this.#entries.delete(key);
    this.#entries.set(key, {
      answer,
      storedMs,
      untilMs: storedMs + lifetimeS * 1000,
    });
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= maxEntries) break;
      this.#entries.delete(oldest);
    }
  }
}

/** All that an answer depends on; `undefined` where it is for one asker alone. */
function keyOf(query: Uint8Array): string | undefined {
  const header = readHeader(query);
  const question = readQuestion(query);
  const edns = readEdns(query);
  if (header === undefined || question === undefined || edns?.hasOptions) {
    return undefined;
  }
  return JSON.stringify([
    question.labels,
    question.type,
    question.class,
    header.recursionDesired,
    header.checkingDisabled,
    edns?.dnssecOk,
  ]);
}

/** Under the asker's id, and with the name in the asker's letter case, which some compare. */
function answerFor(query: Uint8Array, answer: Uint8Array): Uint8Array {
  const copy = withId(answer, readHeader(query)?.id ?? 0);
  const end = readQuestion(query)?.end;
  if (end !== undefined && readQuestion(copy)?.end === end) {
    copy.set(query.subarray(HEADER_BYTES, end), HEADER_BYTES);
  }
  return copy;
}
