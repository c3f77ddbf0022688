import type { Socket } from "node:net";
import { LinkError } from "../../core/errors.ts";
import { ExactReader } from "./exact_reader.ts";
import {
  IPV4,
  IPV6,
  NAME,
  parseSocksAddress,
  type SocksAddress,
} from "./socks_address.ts";
import { formatReply, Reply } from "./socks_reply.ts";

export interface SocksRequest {
  readonly command: "connect" | "associate";
  readonly address: SocksAddress;
}

const VERSION = 5;
const NO_LOGIN = 0;
const NO_METHOD = 0xff;
const COMMANDS: Readonly<Record<number, SocksRequest["command"]>> = {
  1: "connect",
  3: "associate",
};

/**
 * Greets a client and reads what it wants; not a byte more.
 *
 * @returns the request, or the last words to a client that wants what is not there.
 * @throws {LinkError} `SOCKS_CUT`, `NOT_SOCKS`: there is nothing to say.
 * @throws {Cancelled} by `signal`.
 */
export async function readRequest(
  socket: Socket,
  signal: AbortSignal,
): Promise<SocksRequest | Uint8Array> {
  using reader = new ExactReader(socket, signal);
  const read = (length: number) => reader.read(length);
  await expectVersion(read);
  const [count = 0] = await read(1);
  const methods = count === 0 ? new Uint8Array() : await read(count);
  if (!methods.includes(NO_LOGIN)) return Uint8Array.of(VERSION, NO_METHOD);
  socket.write(Uint8Array.of(VERSION, NO_LOGIN));
  await expectVersion(read);
  const [code = 0, , type = 0] = await read(3);
  const rest = await readRest(type, read);
  if (rest === undefined) return formatReply(Reply.addressTypeUnknown);
  const command = COMMANDS[code];
  if (command === undefined) return formatReply(Reply.commandUnknown);
  const parsed = parseSocksAddress(Uint8Array.of(type, ...rest));
  // a name that nothing can have
  if (parsed === undefined) return formatReply(Reply.hostUnreachable);
  return { command, address: parsed.address };
}

type Read = (length: number) => Promise<Uint8Array>;

async function expectVersion(read: Read): Promise<void> {
  const [version] = await read(1);
  if (version === VERSION) return;
  throw new LinkError("NOT_SOCKS", "Client does not speak SOCKS5");
}

/** Address and port, with a name's length; `undefined` for an unknown type. */
async function readRest(
  type: number,
  read: Read,
): Promise<Uint8Array | undefined> {
  if (type === IPV4) return await read(4 + 2);
  if (type === IPV6) return await read(16 + 2);
  if (type !== NAME) return undefined;
  const [length = 0] = await read(1);
  return Uint8Array.of(length, ...await read(length + 2));
}
