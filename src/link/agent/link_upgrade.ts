import { timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import {
  LINK_PATH,
  LINK_TOKEN_HEADER,
  linkToken,
  UPGRADE_NAMES,
} from "../wire/link_request.ts";
import { LINK_PROTOCOLS, type LinkProtocol } from "../wire/link_protocol.ts";
import type { ServeLink } from "./link_server.ts";

/** Lets clients in that come through the API server's proxy, to the pod's address. */
export class LinkUpgrade {
  readonly #token: Uint8Array;
  readonly #serve: ServeLink;

  constructor(hostPublicKey: string, serve: ServeLink) {
    this.#token = new TextEncoder().encode(linkToken(hostPublicKey));
    this.#serve = serve;
  }

  /** A request to change the protocol. Whoever does not know the token learns nothing. True if it is let in. */
  accept(request: IncomingMessage, socket: Duplex, head: Uint8Array): boolean {
    socket.on("error", () => {}); // "close" follows
    const protocol = protocolOf(request);
    if (protocol === undefined || !this.#isWelcome(request)) {
      socket.end(
        "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
      );
      return false;
    }
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${
        UPGRADE_NAMES[protocol]
      }\r\n\r\n`,
    );
    if (head.length > 0) socket.unshift(head);
    this.#serve(socket, { protocol, way: "proxy" });
    return true;
  }

  #isWelcome({ url, headers }: IncomingMessage): boolean {
    if (url !== LINK_PATH) return false;
    const told = new TextEncoder().encode(
      String(headers[LINK_TOKEN_HEADER] ?? ""),
    );
    return told.length === this.#token.length &&
      timingSafeEqual(told, this.#token);
  }
}

function protocolOf({ headers }: IncomingMessage): LinkProtocol | undefined {
  return LINK_PROTOCOLS.find((one) => UPGRADE_NAMES[one] === headers.upgrade);
}
