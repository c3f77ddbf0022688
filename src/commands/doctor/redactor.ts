/** Takes out of texts what is nobody else's business. */

/** What is told by a placeholder in place of itself. */
export interface Secret {
  readonly text: string;
  /** `server` becomes `<server>`. */
  readonly name: string;
}

/** Shorter ones stand in too many words by accident. */
const MIN_CHARS = 3;

/** Names that tell nothing of anybody. */
const PUBLIC_NAMES =
  /(^|\.)(k8s\.io|kubernetes\.io|ktctl\.dev|istio\.io|denoland|docker\.io|github\.com|cluster\.local|svc|localhost|yaml|yml|json|ts|js|conf|jsonl|gz|so|service|socket|go)$/i;

/** Each with what stands in its place. The first that matches counts. */
const PATTERNS: readonly (readonly [RegExp, string])[] = [
  [
    /-----BEGIN [A-Z0-9 ]+-----[\s\S]*?(-----END [A-Z0-9 ]+-----|$)/g,
    "<certificate or key>",
  ],
  [/\beyJ[\w-]{8,}\.[\w-]+(\.[\w-]*)?/g, "<token>"],
  [/\b(bearer|basic)\s+[\w.~+/=-]{8,}/gi, "$1 <token>"],
  [
    /\b(token|password|passwd|secret|client-secret|id-token|refresh-token)(["']?\s*[:=]\s*["']?)[^\s"',;&}]+/gi,
    "$1$2<secret>",
  ],
  [/\/\/[^/@\s"']+@/g, "//<user>@"],
  [/\b[\w.+-]+@[\w-]+(\.[\w-]+)+\b/g, "<address>"],
  [/\b[A-Za-z0-9+/]{64,}={0,2}/g, "<long text>"],
];

/**
 * Replaces what is known to be private, then what looks like it: keys, tokens, passwords, names of hosts,
 * public addresses. One thing has one placeholder everywhere, so that it can still be followed.
 */
export class Redactor {
  readonly #secrets: readonly Secret[];
  readonly #names = new Map<string, string>();

  constructor(secrets: readonly Secret[]) {
    this.#secrets = secrets.filter(({ text }) => text.length >= MIN_CHARS)
      // what is part of another one does not spoil it
      .toSorted((a, b) => b.text.length - a.text.length);
  }

  redact(text: string): string {
    let result = text;
    for (const { text, name } of this.#secrets) {
      result = result.replaceAll(text, `<${name}>`);
    }
    for (const [pattern, instead] of PATTERNS) {
      result = result.replace(pattern, instead);
    }
    return result
      .replace(
        /(?<![\w.<-])[a-z0-9][\w-]*(\.[a-z0-9][\w-]*)*\.[a-z]{2,}(?![\w-])/gi,
        (name) => PUBLIC_NAMES.test(name) ? name : this.#named("host", name),
      )
      .replace(
        /(?<![\w.])\d{1,3}(\.\d{1,3}){3}(?![\w.]*\.\d)/g,
        (address) =>
          isPrivate(address) ? address : this.#named("address", address),
      )
      .replace(
        /(?<![\w:])([0-9a-f]{1,4}:){2,7}(:?[0-9a-f]{1,4})?(:[0-9a-f]{1,4})*(?![\w:])/gi,
        (address) =>
          /^(f[cd]|fe80)/i.test(address) || /^\d\d:\d\d:\d\d$/.test(address)
            ? address
            : this.#named("address", address),
      );
  }

  /** All texts in what JSON can carry. */
  redactAll(value: unknown): unknown {
    if (typeof value === "string") return this.redact(value);
    if (Array.isArray(value)) return value.map((one) => this.redactAll(one));
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, one]) => [key, this.redactAll(one)]),
    );
  }

  #named(kind: string, text: string): string {
    const key = `${kind} ${text.toLowerCase()}`;
    const count =
      [...this.#names.values()].filter((name) => name.startsWith(`<${kind} `))
        .length;
    const known = this.#names.get(key) ?? `<${kind} ${count + 1}>`;
    this.#names.set(key, known);
    return known;
  }
}

/** Those that many networks have; they tell of overlaps, not of anybody. */
function isPrivate(address: string): boolean {
  return /^(10|127|0)\.|^192\.168\.|^172\.(1[6-9]|2\d|3[01])\.|^169\.254\.|^100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.|^198\.1[89]\.|^255\./
    .test(address);
}
