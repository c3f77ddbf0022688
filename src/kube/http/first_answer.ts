/** So long the first answer may take before its user hears of it. */
const PATIENCE_MS = 2_000;
/** So many times as long where a connection has come about: then the server is there, but slow. */
const CONNECTED = 2.5;

export interface FirstAnswerOptions {
  /** Called once, where the server is long in answering for the first time. It is tried on. */
  readonly onSlow: (() => void) | undefined;
  /** Whether a connection to the server has come about. */
  readonly isConnected: () => boolean;
  /** For tests. */
  readonly patienceMs?: number | undefined;
}

/** Whether the server has ever answered. What is lost later is told by those who lose it. */
export class FirstAnswer {
  readonly #options: FirstAnswerOptions;
  /** It has come, or its user has been told. */
  #isOver = false;

  constructor(options: FirstAnswerOptions) {
    this.#options = options;
  }

  /** The answer to a request, as it comes. */
  async await<T>(answer: Promise<T>): Promise<T> {
    const { onSlow, isConnected, patienceMs = PATIENCE_MS } = this.#options;
    if (this.#isOver || onSlow === undefined) return await answer;
    const tell = () => {
      if (!this.#isOver) onSlow();
      this.#isOver = true;
    };
    const late = setTimeout(tell, patienceMs * CONNECTED);
    const early = setTimeout(() => isConnected() || tell(), patienceMs);
    try {
      const given = await answer;
      this.#isOver = true;
      return given;
    } finally {
      clearTimeout(early);
      clearTimeout(late);
    }
  }
}
