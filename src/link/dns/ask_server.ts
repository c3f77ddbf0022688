import { randomInt } from "node:crypto";
import { dial } from "../wire/dial.ts";
import { LinkError, messageOf } from "../../core/errors.ts";
import {
  PeerSocket,
  type PeerSocketOptions,
  type PortRange,
  randomPort,
} from "../wire/peer_socket.ts";
import { readHeader, withId } from "./dns_header.ts";
import { isAnswerTo } from "./is_answer_to.ts";
import { frameMessage, TcpMessages } from "./tcp_messages.ts";

/** A name server, and how to talk to it. */
export interface DnsServer {
  readonly host: string;
  /** @default 53 */
  readonly port?: number;
  /** `udp` goes on over TCP where the answer is truncated. @default "udp" */
  readonly protocol?: "udp" | "tcp";
}

/** From where a name server is asked. */
export type AskFrom = Pick<PeerSocketOptions, "localPorts" | "localAddressTo">;

export interface AskOptions extends AskFrom {
  readonly signal?: AbortSignal;
  /** @default 5000 */
  readonly timeoutMs?: number;
}

/** A datagram may get lost. */
const RESEND_AFTER_MS = 1000;
/**
 * So many answers from the server's address with another id or question: somebody guesses. One in
 * 65536 ids is right, so TCP, which nobody speaks without seeing it, is asked long before.
 */
const MOST_FALSE_ANSWERS = 8;

/**
 * Sends a query as it is and returns the whole answer as it came; only the id differs on the way,
 * and is put back.
 *
 * @throws {LinkError} `DNS_NO_ANSWER`.
 */
export async function askServer(
  query: Uint8Array,
  server: DnsServer,
  options: AskOptions = {},
): Promise<Uint8Array> {
  const id = readHeader(query)?.id ?? 0;
  const deadline = AbortSignal.timeout(options.timeoutMs ?? 5000);
  const signal = options.signal === undefined
    ? deadline
    : AbortSignal.any([options.signal, deadline]);
  // an id that cannot be guessed; the port is as random as the system makes it
  const sent = withId(query, randomInt(0x10000));
  try {
    if (server.protocol !== "tcp") {
      const answer = await askOverUdp(sent, server, { ...options, signal });
      const isWhole = answer && !readHeader(answer)?.isTruncated;
      if (isWhole) return withId(answer, id);
    }
    const { localPorts } = options;
    return withId(await askOverTcp(sent, server, { signal, localPorts }), id);
  } catch (error) {
    const reason = deadline.aborted ? "no answer in time" : messageOf(error);
    throw new LinkError(
      "DNS_NO_ANSWER",
      `Name server "${server.host}" did not answer: ${reason}`,
      { cause: error },
    );
  }
}

/** `undefined` where false answers come with it, so that none is to be believed. */
async function askOverUdp(
  query: Uint8Array,
  { host, port = 53 }: DnsServer,
  { signal, localPorts, localAddressTo }: AskFrom & { signal: AbortSignal },
): Promise<Uint8Array | undefined> {
  signal.throwIfAborted();
  const to = { address: host, port };
  using socket = await PeerSocket.open({ ...to, localPorts, localAddressTo });
  const { promise, resolve, reject } = Promise.withResolvers<
    Uint8Array | undefined
  >();
  const abort = () => reject(signal.reason);
  let falseAnswers = 0;
  socket.onError = reject;
  socket.onMessage = (message) => {
    if (isAnswerTo(query, message)) resolve(new Uint8Array(message));
    else if (++falseAnswers === MOST_FALSE_ANSWERS) resolve(undefined);
  };
  signal.addEventListener("abort", abort, { once: true });
  if (signal.aborted) abort();
  else socket.send(query);
  const timer = setInterval(() => socket.send(query), RESEND_AFTER_MS);
  return await promise.finally(() => {
    clearInterval(timer);
    signal.removeEventListener("abort", abort);
  });
}

async function askOverTcp(
  query: Uint8Array,
  server: DnsServer,
  { signal, localPorts }: {
    signal: AbortSignal;
    localPorts: PortRange | undefined;
  },
): Promise<Uint8Array> {
  // one that happens to be taken fails, and is asked from again by whoever asked
  const localPort = localPorts && randomPort(localPorts);
  const socket = await dial({
    ...(localPort !== undefined && { localPort }),
    host: server.host,
    port: server.port ?? 53,
    timeoutMs: 30_000,
    signal,
  });
  const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
  const messages = new TcpMessages();
  const abort = () => reject(signal.reason);
  socket.on("data", (chunk: Uint8Array) => {
    const answer = messages.push(chunk).find((one) => isAnswerTo(query, one));
    if (answer !== undefined) resolve(answer);
  });
  for (const event of ["error", "end", "close"]) {
    socket.once(event, () =>
      reject(
        new LinkError("DNS_CUT_OFF", "The connection ended without an answer"),
      ));
  }
  signal.addEventListener("abort", abort, { once: true });
  if (signal.aborted) abort();
  else socket.write(frameMessage(query));
  return promise.finally(() => {
    signal.removeEventListener("abort", abort);
    socket.destroy();
  });
}
