/**
 * A running session answers over a socket in a folder that is its user's alone. Of another user it hears
 * nothing: the folder lets nobody else in.
 *
 * One line is one request. `status` is answered with one line, `changes` with one now and one after each
 * change, `end` with one for each event until all is given back, `keep` with who is refused, or an error.
 */
import { chmodSync, lstatSync, mkdirSync, rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { dirname } from "node:path";
import process from "node:process";
import * as v from "valibot";
import { errorEvent, type ReportEvent } from "../../core/report.ts";
import type { TakeoverRequest } from "../../cluster/takeover/takeover_request.ts";
import { KtctlError, messageOf, PermissionError } from "../../core/errors.ts";
import { readJson } from "../../core/read_json.ts";
import type { SessionStatus } from "./session_status.ts";

export interface SessionHandlers {
  readonly status: () => SessionStatus;
  readonly onChange: (listener: () => void) => Disposable;
  /** Told who asks, as a sentence. */
  readonly end: (reason: string) => void;
  /** Refuses to give away what the session has. Rejects where nobody asks for it. */
  readonly keep: () => Promise<TakeoverRequest>;
  readonly observe: (listener: (event: ReportEvent) => void) => Disposable;
}

/** Who connects and says nothing is let go. */
const PATIENCE_MS = 5_000;
const MAX_REQUEST_CHARS = 1024;
const MAX_CONNECTIONS = 32;
/** Who reads no more is let go. */
const MAX_UNREAD_BYTES = 4 * 1024 * 1024;

const request = v.object({
  request: v.picklist(["status", "changes", "keep", "end"]),
});

/** Throws `PermissionError` (`FOLDER_NOT_OWN`), and what making the folder or listening fails with. */
export async function serveSession(
  path: string,
  handlers: SessionHandlers,
): Promise<Disposable> {
  makeOwnFolder(dirname(path));
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    socket.on("error", () => {}); // "close" follows
    answer(socket, handlers);
  });
  server.maxConnections = MAX_CONNECTIONS;
  await listening(server, path);
  if (process.platform !== "win32") chmodSync(path, 0o600);
  return {
    [Symbol.dispose]() {
      server.close();
      for (const socket of sockets) socket.end();
      try {
        rmSync(path, { force: true });
      } catch {
        // its disk can only be read by now; nobody answers there
      }
    },
  };
}

/** One that is somebody else's, or within reach of others, is not used. */
function makeOwnFolder(dir: string): void {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  if (process.platform === "win32") return;
  const { uid, mode } = lstatSync(dir);
  if (uid !== process.getuid!() || (mode & 0o077) !== 0) {
    throw new PermissionError(
      "FOLDER_NOT_OWN",
      `The folder "${dir}" is not this user's alone`,
      { hint: "Delete it, and start the session again." },
    );
  }
}

async function listening(server: Server, path: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once("error", reject);
  server.listen(path, resolve);
  await promise;
  server.removeListener("error", reject);
  server.on("error", () => {}); // one connection that could not be accepted
  server.unref(); // it keeps no session alive
}

function answer(socket: Socket, handlers: SessionHandlers): void {
  socket.setTimeout(PATIENCE_MS, () => socket.destroy());
  let text = "";
  socket.setEncoding("utf8");
  socket.on("data", (chunk: string) => {
    text += chunk;
    const end = text.indexOf("\n");
    if (end === -1) {
      if (text.length > MAX_REQUEST_CHARS) socket.destroy();
      return;
    }
    socket.removeAllListeners("data").resume();
    const read = readJson(text.slice(0, end), request, {
      maxChars: MAX_REQUEST_CHARS,
    });
    if (read.reason !== undefined) return void socket.destroy();
    const tell = (what: unknown) => {
      if (socket.writableLength > MAX_UNREAD_BYTES) return socket.destroy();
      return socket.write(`${JSON.stringify(what)}\n`);
    };
    if (read.value.request === "end") {
      follow(socket, handlers.observe(tell));
      return handlers.end("Ended by `ktctl leave`");
    }
    if (read.value.request === "keep") {
      socket.setTimeout(0);
      return void keep(handlers).then(tell).finally(() => socket.end());
    }
    tell(handlers.status());
    if (read.value.request === "status") return void socket.end();
    follow(socket, handlers.onChange(() => tell(handlers.status())));
  });
}

/** The event that tells how it went. */
async function keep(handlers: SessionHandlers): Promise<ReportEvent> {
  try {
    const { user, host } = await handlers.keep();
    const message = `${user} (on ${host}) was told that you keep it`;
    return { event: "action", state: "done", message };
  } catch (error) {
    if (error instanceof KtctlError) return errorEvent(error);
    const message = messageOf(error);
    return { event: "error", code: "INTERNAL", message };
  }
}

function follow(socket: Socket, following: Disposable): void {
  socket.setTimeout(0);
  socket.once("close", () => following[Symbol.dispose]());
}
