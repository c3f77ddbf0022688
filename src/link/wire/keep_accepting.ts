import type { Server } from "node:net";

/** How long connections wait at most once there are files for them again. */
const LOOK_EVERY_MS = 200;
/** What `listen` takes by default. */
const BACKLOG = 511;

/**
 * Keeps a server accepting after it has run out of files. Deno (2.9.6) tells nobody that `accept`
 * failed with EMFILE, and does not try again, ever: the port is dead. Listening again on the same
 * handle makes it look at the queue of connections anew, and changes nothing where all is well.
 *
 * Noticed by: "Deno's server is deaf once it has run out of files".
 *
 * @param backlog As given to `listen`, which would be changed otherwise.
 */
export function keepAccepting(server: Server, backlog = BACKLOG): void {
  server.on("listening", () => {
    backlogs.set(server, backlog);
    if (timer !== undefined) return;
    timer = setInterval(listenAgain, LOOK_EVERY_MS);
    timer.unref();
  });
  server.on("close", () => {
    backlogs.delete(server);
    if (backlogs.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  });
}

/** Of the servers that listen. */
const backlogs = new Map<Server, number>();
/** One for all of them: each of its own would wake an idle process as often. */
let timer: ReturnType<typeof setInterval> | undefined;

function listenAgain(): void {
  for (const [server, backlog] of backlogs) {
    const { _handle: handle } = server as unknown as Listening;
    handle?.listen(backlog);
  }
}

interface Listening {
  readonly _handle?: { listen(backlog: number): number } | null;
}
