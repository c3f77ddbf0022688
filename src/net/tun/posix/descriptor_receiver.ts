import { mkdirSync, rmSync } from "node:fs";
import { messageOf } from "../../../core/errors.ts";
import {
  packMessage,
  unixAddress,
  unpackMessage,
} from "./descriptor_message.ts";
import {
  AF_UNIX,
  cannot,
  closeOnExec,
  dontBlock,
  mustDo,
  openUnixSockets,
  SOCK_STREAM,
  UNIX_SYSTEM,
  type UnixSockets,
} from "./unix_sockets.ts";

/** The root helper takes no paths, so both sides know it by the session's id. */
export function handoverFolder(session: string): string {
  return `/tmp/ktctl-${session}`;
}

export function handoverPath(session: string): string {
  return `${handoverFolder(session)}/utun`;
}

/**
 * Where the root helper hands over the descriptor of a device: a socket in a folder that only this
 * user can enter. It listens before the helper is asked, and when that has answered, the descriptor
 * is there: nothing here waits. Disposed, the folder is gone; the descriptor stays.
 */
export class DescriptorReceiver implements Disposable {
  readonly #sockets: UnixSockets;
  readonly #folder: string;
  readonly #listener: number;

  /**
   * @throws {PermissionError} `FFI_NOT_ALLOWED`.
   * @throws {UnsupportedError} `TUN_UNSUPPORTED`.
   */
  constructor(session: string) {
    this.#folder = handoverFolder(session);
    this.#sockets = openUnixSockets();
    try {
      makeFolder(this.#folder);
    } catch (error) {
      this.#sockets.close();
      throw error;
    }
    const { socket, bind, listen } = this.#sockets.symbols;
    this.#listener = socket(AF_UNIX, SOCK_STREAM, 0);
    try {
      const fd = mustDo(this.#sockets, "make a socket", this.#listener);
      closeOnExec(this.#sockets, fd);
      dontBlock(this.#sockets, fd);
      const address = unixAddress(handoverPath(session), UNIX_SYSTEM);
      mustDo(this.#sockets, "bind a socket", bind(fd, address, address.length));
      mustDo(this.#sockets, "listen on a socket", listen(fd, 1));
    } catch (error) {
      this[Symbol.dispose]();
      throw error;
    }
  }

  /**
   * The descriptor that was handed over; the caller closes it.
   *
   * @throws {UnsupportedError} `TUN_UNSUPPORTED` where there is none.
   */
  receive(): number {
    const { accept, recvmsg, close } = this.#sockets.symbols;
    const what = "take the TUN device that the root helper has made";
    const peer = mustDo(
      this.#sockets,
      what,
      accept(this.#listener, null, null),
    );
    try {
      const message = packMessage(UNIX_SYSTEM);
      const dontWait = UNIX_SYSTEM === "darwin" ? 0x80 : 0x40;
      const length = mustDo(
        this.#sockets,
        what,
        recvmsg(peer, message, dontWait),
      );
      const fd = length === 1 ? unpackMessage(UNIX_SYSTEM, message) : undefined;
      if (fd === undefined) throw cannot(what, "it was not handed over");
      closeOnExec(this.#sockets, fd);
      return fd;
    } finally {
      close(peer);
    }
  }

  [Symbol.dispose](): void {
    if (this.#listener >= 0) this.#sockets.symbols.close(this.#listener);
    this.#sockets.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** One that is there already is somebody else's. */
function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    throw cannot(`make the folder "${folder}"`, messageOf(error));
  }
}
