/** Takes out of texts what is nobody else's business. */
import ipaddr from "ipaddr.js";
import { proxyText } from "../../kube/http/proxy_text.ts";

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

/** Of IPv6: they tell of overlaps, not of anybody. What is mapped is looked at as IPv4. */
const COMMON_RANGES = [
  ...["unspecified", "loopback", "linkLocal", "uniqueLocal", "multicast"],
  ...["ipv4Mapped", "rfc6052"],
];

/** What a key is called whose value is a secret, whatever stands before and behind; "secrets" counts objects. */
const SECRET_KEY =
  /(?<![\w-])[\w-]{0,64}(?:token|password|passwd|passphrase|secret|credential|(?:access|api|private)[_-]?key)(?!s\b)[\w-]{0,64}/
    .source;
/** Up to its quote, or to the next blank without what closes a sentence or a list. */
const VALUE =
  /(?:\\"[^"\\]*\\"|"(?:[^"\\]|\\.)*(?:"|$)|'[^']*(?:'|$)|\S*[^\s"',;&})\]\\])/
    .source;

/** Each with what stands in its place. The first that matches counts. */
const PATTERNS: readonly (readonly [RegExp, string])[] = [
  [
    /-----BEGIN [A-Z0-9 ]+-----[\s\S]*?(-----END [A-Z0-9 ]+-----|$)/g,
    "<certificate or key>",
  ],
  // as JSON Web Tokens, OpenShift, GitHub, GitLab, EKS, Google, AWS, Slack and kubeadm have them
  [/\beyJ[\w-]{8,}\.[\w-]+(\.[\w-]*)?/g, "<token>"],
  [
    /(?<![A-Za-z0-9])(?:sha256~|gh[oprsu]_|github_pat_|glpat-|k8s-aws-v1\.|ya29\.|xox[a-z]-)[\w.~+/=-]*[\w~+/=-]/g,
    "<token>",
  ],
  [/(?<![A-Za-z0-9])A(?:KIA|SIA)[A-Z0-9]{12,}/g, "<token>"],
  [/(?<![\w.-])[a-z0-9]{6}\.[a-z0-9]{16}(?![\w.-])/g, "<token>"],
  [/\b(bearer|basic)\s+[\w.~+/=-]{8,}/gi, "$1 <token>"],
  [
    new RegExp(`(${SECRET_KEY}\\\\?["']?\\s*[:=]\\s*)${VALUE}`, "gi"),
    "$1<secret>",
  ],
  // a flag; without its dashes what has a digit, as most behind "token" is harmless, and a Secret has a name
  [
    new RegExp(
      `((?<![\\w-])-{1,2}(?=\\w)${
        SECRET_KEY.replace("(?<![\\w-])", "")
      }\\s+)${VALUE}`,
      "gi",
    ),
    "$1<secret>",
  ],
  [/\b(password|passwd|passphrase)(\s+)("[^"]*"|'[^']*')/gi, "$1$2<secret>"],
  [
    /\b(token|password|passwd|passphrase)(\s+)(?=\S*\d)[\w.~+/=!-]{8,}/gi,
    "$1$2<secret>",
  ],
  [/\b(User )(\\?")[^"]*"/g, '$1"<user>"'],
  [/\barn:[\w-]*:[\w-]*:[\w-]*:\d*:[^\s"',;)]+/g, "<arn>"],
];

/**
 * Replaces what is known to be private, then what looks like it: keys, tokens, passwords, names of hosts,
 * public addresses. One thing has one placeholder everywhere, so that it can still be followed.
 */
export class Redactor {
  readonly #secrets: readonly { pattern: RegExp; name: string }[];
  readonly #names = new Map<string, string>();

  constructor(secrets: readonly Secret[]) {
    this.#secrets = secrets.filter(({ text }) => text.length >= MIN_CHARS)
      // what is part of another one does not spoil it
      .toSorted((a, b) => b.text.length - a.text.length)
      .map(({ text, name }) => ({ pattern: wholeWord(text), name }));
  }

  redact(text: string): string {
    let result = text;
    for (const { pattern, name } of this.#secrets) {
      result = result.replace(pattern, `<${name}>`);
    }
    for (const [pattern, instead] of PATTERNS) {
      result = result.replace(pattern, instead);
    }
    return result
      .replace(/\S+/g, withoutCredentials)
      .replace(/(?<![\w.+-])[\w.+-]+@[\w-]+(\.[\w-]+)+\b/g, "<address>")
      .replace(/\b[A-Za-z0-9+/]{64,}={0,2}/g, "<long text>")
      .replace(
        /(?<![\w.<*-])(\*?\.)?([a-z0-9][\w-]*(?:\.[a-z0-9][\w-]*)*\.[a-z]{2,})(?![\w-])/gi,
        (all, wildcard: string | undefined, name: string) =>
          PUBLIC_NAMES.test(name)
            ? all
            : `${wildcard ?? ""}${this.#named("host", name)}`,
      )
      // before IPv4, which may be the end of one
      .replace(
        /(?<![\w:.])[0-9a-f:][0-9a-f:.]{1,60}(?!\w)/gi,
        (found) => this.#withoutIpv6(found),
      )
      .replace(
        /(?<![\w.])\d{1,3}(\.\d{1,3}){3}(?![\w.]*\.\d)/g,
        (address) =>
          isPrivate(address) ? address : this.#named("address", address),
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

  #withoutIpv6(found: string): string {
    // what ends a sentence, or a word before a colon
    const [address = ""] = /^.*?(?=\.?:?$)/.exec(found) ?? [];
    for (const text of [found, address]) {
      if (!isIdentifying(text)) continue;
      return this.#named("address", text) + found.slice(text.length);
    }
    return found;
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

/** Not as a part of a longer word: "prod" is none of "product". */
function wholeWord(text: string): RegExp {
  const start = /^[a-z0-9]/i.test(text) ? "(?<![A-Za-z0-9])" : "";
  const end = /[a-z0-9]$/i.test(text) ? "(?![A-Za-z0-9])" : "";
  return new RegExp(start + RegExp.escape(text) + end, "gi");
}

/** Of a proxy, also without a scheme. What has no colon before its `@` is a mail address; an image has a digest there. */
function withoutCredentials(word: string): string {
  const at = word.lastIndexOf("@");
  if (at === -1 || word.startsWith("sha256:", at + 1)) return word;
  // a variable's name, or what a list or a quote begins with
  const [before = ""] = /^["'([]*(?:\w+=)?["']*/.exec(word) ?? [];
  if (!word.slice(before.length, at).includes(":")) return word;
  return before + proxyText(word.slice(before.length), "<user>");
}

/** An IPv6 address that is somebody's, or a network card's. */
function isIdentifying(text: string): boolean {
  if (/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/i.test(text)) return true;
  return ipaddr.IPv6.isValid(text) &&
    !COMMON_RANGES.includes(ipaddr.IPv6.parse(text).range());
}

/** Those that many networks have; they tell of overlaps, not of anybody. */
function isPrivate(address: string): boolean {
  return /^(10|127|0)\.|^192\.168\.|^172\.(1[6-9]|2\d|3[01])\.|^169\.254\.|^100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.|^198\.1[89]\.|^255\./
    .test(address);
}
