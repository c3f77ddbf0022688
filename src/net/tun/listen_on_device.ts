import {
  type AddressInfo,
  createServer,
  type Server,
  type Socket,
} from "node:net";
import { keepAccepting } from "../../link/wire/keep_accepting.ts";

/** As many as the kernel allows: they come as fast as the cluster takes them. */
const BACKLOG = 4096;

export interface DeviceListener extends AsyncDisposable {
  readonly port: number;
}

/** Takes connections on the device's own address. They come paused, half-close allowed. */
export async function listenOnDevice(
  host: string,
  onSocket: (socket: Socket) => void,
): Promise<DeviceListener> {
  const server = createServer({
    allowHalfOpen: true,
    noDelay: true,
    pauseOnConnect: true,
  });
  server.on("connection", onSocket);
  keepAccepting(server, BACKLOG);
  await listening(server, host);
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => void server.close(() => resolve())),
  };
}

function listening(server: Server, host: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once("error", reject);
  server.listen({ host, port: 0, backlog: BACKLOG }, resolve);
  return promise;
}
