import { createSocket } from "node:dgram";
import { isIPv6 } from "node:net";
import { dial } from "../core/dial.ts";
import { LinkError } from "../core/errors.ts";
import { frame, FrameReader } from "../core/frame_reader.ts";
import { nameserverAddress } from "../core/resolv_conf.ts";

export interface AskOptions {
  /** As in `ResolvConf`, in the order of preference. */
  readonly nameservers: readonly string[];
  readonly signal: AbortSignal;
}

interface Nameserver {
  readonly host: string;
  readonly port: number;
}

/** After so long without an answer the next one is asked. */
const ATTEMPT_MS = 2_000;
/** How often the whole list is gone through. */
const ROUNDS = 2;
const HEADER_BYTES = 12;
const SERVFAIL = 2;
const REFUSED = 5;

/**
 * The nameservers' answer to one DNS message, whole: by UDP, and by TCP where it was cut short. One
 * that fails or refuses is passed over while there are others.
 *
 * @returns their answer, or SERVFAIL of our own where none came. Rejects by `signal` only.
 */
export async function askNameservers(
  query: Uint8Array,
  options: AskOptions,
): Promise<Uint8Array> {
  const { signal } = options;
  const nameservers = options.nameservers.map(nameserverAddress);
  let failure: Uint8Array | undefined;
  for (let round = 0; round < ROUNDS; round++) {
    for (const nameserver of nameservers) {
      try {
        const answer = await ask(query, nameserver, signal);
        const code = answer[3]! & 0xf;
        if (code !== SERVFAIL && code !== REFUSED) return answer;
        failure ??= answer;
      } catch {
        signal.throwIfAborted();
      }
    }
    // an answer is an answer: only silence is asked again
    if (failure !== undefined) return failure;
  }
  return servfail(query);
}

async function ask(
  query: Uint8Array,
  nameserver: Nameserver,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const answer = await askByUdp(query, nameserver, signal);
  const isCut = (answer[2]! & 0x02) !== 0;
  if (!isCut) return answer;
  return await askByTcp(query, nameserver, signal).catch(() => answer);
}

/** A socket for each query: its port is what makes forged answers miss. */
async function askByUdp(
  query: Uint8Array,
  { host, port }: Nameserver,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
  const socket = createSocket(isIPv6(host) ? "udp6" : "udp4");
  const ended = AbortSignal.any([signal, AbortSignal.timeout(ATTEMPT_MS)]);
  const abort = () => reject(ended.reason);
  ended.addEventListener("abort", abort, { once: true });
  socket.on("error", reject);
  socket.on("message", (data, from) => {
    const isTheirs = from.port === port && isAnswer(query, data);
    if (isTheirs) resolve(new Uint8Array(data));
  });
  try {
    socket.send(query, port, host, (error) => error && reject(error));
    return await promise;
  } finally {
    ended.removeEventListener("abort", abort);
    socket.close();
  }
}

async function askByTcp(
  query: Uint8Array,
  nameserver: Nameserver,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const ended = AbortSignal.any([signal, AbortSignal.timeout(ATTEMPT_MS)]);
  const target = { ...nameserver, timeoutMs: ATTEMPT_MS, signal: ended };
  const socket = await dial(target);
  const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
  const abort = () => reject(ended.reason);
  ended.addEventListener("abort", abort, { once: true });
  const frames = new FrameReader((data) => {
    if (isAnswer(query, data)) resolve(data);
  });
  socket.on("data", (chunk: Uint8Array) => frames.push(chunk));
  socket.once("close", () =>
    reject(
      new LinkError("DNS_CUT", "Name server closed before its answer"),
    ));
  try {
    socket.write(frame(query));
    return await promise;
  } finally {
    ended.removeEventListener("abort", abort);
    socket.destroy();
  }
}

/** Same id, and a response. */
function isAnswer(query: Uint8Array, data: Uint8Array): boolean {
  return data.length >= HEADER_BYTES && data[0] === query[0] &&
    data[1] === query[1] && (data[2]! & 0x80) !== 0;
}

/** The query's header and question, marked as an answer that says: the server failed. */
function servfail(query: Uint8Array): Uint8Array {
  const answer = new Uint8Array(query);
  answer[2] = (answer[2]! & 0x79) | 0x80;
  answer[3] = 0x80 | SERVFAIL;
  return answer;
}
