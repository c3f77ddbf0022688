/** The code of a plugin from a URL: whose it is, is known before it runs. */
import { messageOf, PluginError } from "../core/errors.ts";
import { sha256 } from "./sha256.ts";

/** A plugin is some ten kilobytes; whoever sends without end is cut off. */
export const MAX_PLUGIN_BYTES = 20e6;
const TIMEOUT_MS = 60_000;
const MAX_REDIRECTS = 10;
const PIN = /^#sha256=([0-9a-f]{64})$/i;

export interface FetchedPlugin {
  readonly code: Uint8Array<ArrayBuffer>;
  /** The media type that Deno is to take it for. */
  readonly type: "application/typescript" | "text/javascript";
  /** SHA-256 of the code, in hexadecimal. */
  readonly digest: string;
  /** The URL says which digest it has to have. */
  readonly isPinned: boolean;
}

/**
 * By https, from this machine, or from anywhere where the URL ends in `#sha256=…`: on the way of
 * plain http anybody may put in code of their own. That holds for redirects too.
 *
 * @throws {PluginError} `PLUGIN_NOT_LOADED`, `PLUGIN_INSECURE`, `PLUGIN_PIN_INVALID`,
 * `PLUGIN_DIGEST`; the reason of the signal.
 */
export async function fetchPlugin(
  source: URL,
  signal: AbortSignal,
): Promise<FetchedPlugin> {
  const pin = pinOf(source);
  const ending = AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]);
  let code: Uint8Array<ArrayBuffer>;
  let response: Response;
  try {
    response = await follow(source, { isPinned: pin !== undefined, ending });
    code = await readBounded(response, source);
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    if (error instanceof PluginError) throw error;
    throw notLoaded(source, messageOf(error), error);
  }
  const digest = await sha256(code);
  if (pin !== undefined && pin !== digest) {
    throw new PluginError(
      "PLUGIN_DIGEST",
      `Cannot load the plugin ${source.href}: its sha256 is ${digest}`,
      {
        hint:
          "It was changed since it was pinned. Look at it before you pin it anew.",
      },
    );
  }
  return { code, type: typeOf(response), digest, isPinned: pin !== undefined };
}

/** The digest that a URL says its code has to have. Throws `PluginError` (`PLUGIN_PIN_INVALID`). */
export function pinOf(source: URL): string | undefined {
  if (source.hash === "") return undefined;
  const pin = PIN.exec(source.hash)?.[1];
  if (pin !== undefined) return pin.toLowerCase();
  throw new PluginError(
    "PLUGIN_PIN_INVALID",
    `Cannot load the plugin ${source.href}: "${source.hash}" is no digest`,
    { hint: "Write #sha256= and 64 hexadecimal digits." },
  );
}

/** The answer at the end of all redirects. */
async function follow(
  source: URL,
  { isPinned, ending }: { isPinned: boolean; ending: AbortSignal },
): Promise<Response> {
  let url = source;
  for (let hops = 0; hops <= MAX_REDIRECTS; hops++) {
    if (!isPinned && !isTrustedWay(url, source)) throw insecure(source, url);
    const response = await fetch(url, { redirect: "manual", signal: ending });
    const location = response.headers.get("location");
    if (response.status < 300) return response;
    await response.body?.cancel();
    if (response.status >= 400 || location === null) {
      throw notLoaded(source, `the server answered ${response.status}`);
    }
    url = new URL(location, url);
  }
  throw notLoaded(source, "the server redirects without end");
}

/** Nobody on the way can change what comes. Only who asks this machine is sent on to this machine. */
export function isTrustedWay(url: URL, source: URL): boolean {
  return url.protocol === "https:" ||
    (url.protocol === "http:" && isLoopback(url) && isLoopback(source));
}

function isLoopback({ hostname }: URL): boolean {
  return hostname === "localhost" || hostname === "[::1]" ||
    /^127\.\d+\.\d+\.\d+$/.test(hostname);
}

async function readBounded(
  { body }: Response,
  source: URL,
): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let size = 0;
  for await (const part of body ?? []) {
    size += part.length;
    if (size > MAX_PLUGIN_BYTES) {
      throw notLoaded(source, "it is larger than 20 MB");
    }
    parts.push(part);
  }
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}

/** As Deno does: by the server's word, and where it says nothing of use by the name. */
function typeOf({ url, headers }: Response): FetchedPlugin["type"] {
  const said = headers.get("content-type") ?? "";
  const isTypeScript = /typescript|video\/mp2t/.test(said) ||
    (!/javascript|ecmascript/.test(said) &&
      /\.m?ts$/.test(new URL(url).pathname));
  return isTypeScript ? "application/typescript" : "text/javascript";
}

function insecure(source: URL, url: URL): PluginError {
  const way = url === source ? "" : `: it leads to ${url.href}`;
  return new PluginError(
    "PLUGIN_INSECURE",
    `Cannot load the plugin ${source.href} over plain http${way}`,
    {
      hint:
        "Anybody on the way could put in code of their own. Use https, or add #sha256= and the digest that its code has to have.",
    },
  );
}

function notLoaded(source: URL, reason: string, cause?: unknown): PluginError {
  return new PluginError(
    "PLUGIN_NOT_LOADED",
    `Cannot load the plugin ${source.href}: ${reason}`,
    { cause },
  );
}
