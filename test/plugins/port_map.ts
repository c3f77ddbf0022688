// A transport that leads one port to one target, for the tests.
import { createServer, type Socket } from "node:net";
import { pipeline } from "node:stream/promises";
import type {
  StandardSchema,
  TransportContext,
  TransportPlugin,
} from "../../mod.ts";

interface Options {
  readonly host: string;
  readonly port: number;
  readonly local: number;
}

const options: StandardSchema<Options> = {
  "~standard": {
    version: 1,
    vendor: "port-map",
    validate(value) {
      const { mapTo = "", mapPort = "" } = value as Record<string, string>;
      const [, host, port] = /^([^:]+):(\d+)$/.exec(mapTo) ?? [];
      if (host !== undefined && /^\d+$/.test(mapPort)) {
        return { value: { host, port: Number(port), local: Number(mapPort) } };
      }
      const message = "--mapTo host:port and --mapPort number are needed";
      return { issues: [{ message }] };
    },
  },
};

/** As long as either side; a refusal in the cluster is a reset here. */
async function carry(
  socket: Socket,
  { link, options: { host, port }, log }: TransportContext<Options>,
): Promise<void> {
  const gone = new AbortController();
  socket.once("close", () => gone.abort());
  try {
    const stream = await link.dial(host, port, { signal: gone.signal });
    await pipeline(socket, stream, socket);
  } catch (error) {
    log.debug(String(error));
    socket.resetAndDestroy();
  }
}

export default {
  kind: "transport",
  apiVersion: 1,
  name: "port-map",
  summary: "a local port that leads to one of the cluster",
  options,
  flags: [
    { name: "mapTo", value: "host:port", summary: "where it leads" },
    { name: "mapPort", value: "port", summary: "the local port" },
  ],
  steps: [],
  needs: () => ({ dns: "none", captures: false }),
  probe: () => ({ ok: true }),
  async open(context) {
    const { scope, refuse, options: { host, port, local } } = context;
    const sockets = new Set<Socket>();
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      sockets.add(socket);
      socket.on("error", () => {});
      socket.once("close", () => sockets.delete(socket));
      void carry(socket, context);
    });
    scope.defer("local port", () => {
      server.close();
      for (const socket of sockets) socket.resetAndDestroy();
    });
    const listening = Promise.withResolvers<void>();
    server.once("error", listening.reject);
    server.listen(local, "127.0.0.1", listening.resolve);
    await listening.promise.catch(({ message }) =>
      refuse("PORT_TAKEN", `Cannot listen on port ${local}: ${message}`, {
        hint: "Choose another --mapPort.",
        kind: "conflict",
      })
    );
    return { message: `127.0.0.1:${local} leads to ${host}:${port}` };
  },
} satisfies TransportPlugin<Options>;
