// Stands between ktctl and the API server, and writes down which rights are used.
import { createServer, type IncomingMessage, type Server } from "node:http";
import { request } from "node:https";
import { once } from "node:events";
import type { AddressInfo, Socket } from "node:net";
import { join } from "node:path";
import type { Duplex } from "node:stream";

export class RightsRecorder implements AsyncDisposable {
  /** Each as `patch pods`, of all that was allowed. */
  readonly used = new Set<string>();
  /** Leads here. */
  readonly kubeconfig: string;
  #server: Server;
  #connections = new Set<Socket>();

  private constructor(server: Server, kubeconfig: string) {
    this.#server = server;
    server.on("connection", (connection) => {
      this.#connections.add(connection);
      connection.once("close", () => this.#connections.delete(connection));
    });
    this.kubeconfig = kubeconfig;
  }

  /** With the rights of that kubeconfig's user, who has a token. The new one is made beside it. */
  static async open(kubeconfig: string): Promise<RightsRecorder> {
    const config = JSON.parse(await Deno.readTextFile(kubeconfig));
    const [{ cluster }] = config.clusters;
    const [{ user: { token } }] = config.users;
    const server = createServer();
    await once(server.listen(0, "127.0.0.1"), "listening");
    const { port } = server.address() as AddressInfo;
    cluster.server = new URL(cluster.server);
    const target = {
      host: cluster.server.hostname,
      port: cluster.server.port || 443,
      ca: atob(cluster["certificate-authority-data"]),
    };
    config.clusters[0].cluster = { server: `http://127.0.0.1:${port}` };
    config.users[0].user = {};
    const own = join(kubeconfig, "..", "recorded.kubeconfig");
    await Deno.writeTextFile(own, JSON.stringify(config));
    const recorder = new RightsRecorder(server, own);
    const ask = (incoming: IncomingMessage) =>
      request({
        ...target,
        // a connection each: a request that is given up ends its own alone
        agent: false,
        method: incoming.method,
        path: incoming.url,
        headers: {
          ...incoming.headers,
          host: cluster.server.host,
          authorization: `Bearer ${token}`,
        },
      });
    server.on("request", (incoming, outgoing) => {
      const asked = ask(incoming);
      outgoing.once("close", () => asked.destroy());
      asked.on("error", () => outgoing.destroy());
      asked.once("response", (answer) => {
        recorder.#note(incoming, answer.statusCode);
        outgoing.writeHead(answer.statusCode!, answer.headers);
        outgoing.flushHeaders();
        answer.on("error", () => outgoing.destroy()).pipe(outgoing);
      });
      incoming.pipe(asked);
    });
    server.on("upgrade", (incoming, socket, head) => {
      const asked = ask(incoming);
      socket.on("error", () => {}); // "close" follows
      socket.once("close", () => asked.destroy());
      asked.on("error", () => socket.destroy());
      asked.once("response", (answer) => {
        recorder.#note(incoming, answer.statusCode);
        socket.write(headOf(answer));
        answer.on("error", () => socket.destroy()).pipe(socket);
      });
      asked.once("upgrade", (answer, other, rest) => {
        recorder.#note(incoming, answer.statusCode);
        socket.write(headOf(answer));
        if (rest.length > 0) socket.write(rest);
        if (head.length > 0) other.write(head);
        relay(socket, other);
      });
      asked.end();
    });
    return recorder;
  }

  #note({ method, url }: IncomingMessage, status = 0): void {
    if (status === 401 || status === 403) return;
    const right = rightOf(method ?? "", new URL(url ?? "", "http://x"));
    if (right !== undefined) this.used.add(right);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // not by closeAllConnections(), which leaves those that were upgraded: they are waited for then
    for (const connection of this.#connections) connection.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** Undefined for what is no object of a namespace. */
function rightOf(method: string, { pathname, searchParams }: URL) {
  const [, resource, name, ...rest] =
    /\/namespaces\/[^/]+\/([^/]+)(?:\/([^/]+)(?:\/([^/]+))?)?/.exec(pathname) ??
      [];
  if (resource === undefined) return undefined;
  const [subresource] = rest;
  const verb = method !== "GET"
    ? { POST: "create", PATCH: "patch", PUT: "update", DELETE: "delete" }[
      method
    ]
    : name !== undefined
    ? "get"
    : searchParams.has("watch")
    ? "watch"
    : "list";
  return `${verb} ${resource}${
    subresource === undefined ? "" : `/${subresource}`
  }`;
}

function headOf(answer: IncomingMessage): string {
  const lines = [`HTTP/1.1 ${answer.statusCode} ${answer.statusMessage}`];
  const { rawHeaders } = answer;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    lines.push(`${rawHeaders[at]}: ${rawHeaders[at + 1]}`);
  }
  return `${lines.join("\r\n")}\r\n\r\n`;
}

function relay(one: Duplex, other: Duplex): void {
  for (const [from, to] of [[one, other], [other, one]] as const) {
    from.on("error", () => to.destroy());
    from.once("close", () => to.destroy());
    from.pipe(to);
  }
}
