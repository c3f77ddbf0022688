import { createSocket } from "node:dgram";
import { randomInt } from "node:crypto";
import { isIPv6 } from "node:net";
import { dial } from "../dial.ts";
import { LinkError, messageOf } from "../errors.ts";
import { readHeader, withId } from "./dns_header.ts";
import { readQuestion } from "./read_question.ts";
import { frameMessage, TcpMessages } from "./tcp_messages.ts";

/** A name server, and how to talk to it. */
export interface DnsServer {
  readonly host: string;
  /** @default 53 */
  readonly port?: number;
  /** `udp` goes on over TCP where the answer is truncated. @default "udp" */
  readonly protocol?: "udp" | "tcp";
}

export interface AskOptions {
  readonly signal?: AbortSignal;
  /** @default 5000 */
  readonly timeoutMs?: number;
  /** Own ports to ask from, by which a firewall knows us. @default any that is free */
  readonly sourcePorts?: PortRange;
}

/** Both ends included. */
export interface PortRange {
  readonly from: number;
  readonly to: number;
}

/** A datagram may get lost. */
const RESEND_AFTER_MS = 1000;

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
  const { sourcePorts } = options;
  // an id that cannot be guessed; the port is as random as the system makes it
  const sent = withId(query, randomInt(0x10000));
  try {
    if (server.protocol !== "tcp") {
      const answer = await askOverUdp(sent, server, { signal, sourcePorts });
      if (!readHeader(answer)?.isTruncated) return withId(answer, id);
    }
    return withId(await askOverTcp(sent, server, { signal, sourcePorts }), id);
  } catch (error) {
    const reason = deadline.aborted ? "no answer in time" : messageOf(error);
    throw new LinkError(
      "DNS_NO_ANSWER",
      `Name server "${server.host}" did not answer: ${reason}`,
      { cause: error },
    );
  }
}

interface AskFrom {
  readonly signal: AbortSignal;
  readonly sourcePorts: PortRange | undefined;
}

function askOverUdp(
  query: Uint8Array,
  server: DnsServer,
  { signal, sourcePorts }: AskFrom,
): Promise<Uint8Array> {
  const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
  const socket = createSocket(isIPv6(server.host) ? "udp6" : "udp4");
  const send = () => socket.send(query);
  let timer: ReturnType<typeof setInterval> | undefined;
  const abort = () => reject(signal.reason);
  socket.on("error", reject);
  socket.on("message", (message: Uint8Array) => {
    if (isAnswerTo(query, message)) resolve(new Uint8Array(message));
  });
  signal.addEventListener("abort", abort, { once: true });
  if (signal.aborted) abort();
  // connected, so that the kernel drops what others send
  else {
    const connect = () =>
      socket.connect(server.port ?? 53, server.host, () => {
        send();
        timer = setInterval(send, RESEND_AFTER_MS);
      });
    const port = randomPort(sourcePorts);
    if (port === undefined) connect();
    else socket.bind(port, connect);
  }
  return promise.finally(() => {
    clearInterval(timer);
    signal.removeEventListener("abort", abort);
    socket.close();
  });
}

/** Not to be guessed; one that happens to be taken fails, and is asked from again by whoever asked. */
function randomPort(range: PortRange | undefined): number | undefined {
  return range && randomInt(range.from, range.to + 1);
}

async function askOverTcp(
  query: Uint8Array,
  server: DnsServer,
  { signal, sourcePorts }: AskFrom,
): Promise<Uint8Array> {
  const localPort = randomPort(sourcePorts);
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

/** A server that cannot read a query may answer with nothing but a header. */
function isAnswerTo(query: Uint8Array, answer: Uint8Array): boolean {
  const header = readHeader(answer);
  if (!header?.isResponse || header.id !== readHeader(query)?.id) return false;
  if (header.counts[0] === 0) return header.rcode !== 0;
  const asked = readQuestion(query);
  const got = readQuestion(answer);
  return asked === undefined ||
    (got?.name === asked.name && got.type === asked.type &&
      got.class === asked.class);
}
