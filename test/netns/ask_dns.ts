// Runs inside a network namespace: sends one message and prints the answer, or the error's code.
import { createSocket } from "node:dgram";
import { connect } from "node:net";

export interface Question {
  readonly host: string;
  readonly port: number;
  readonly protocol: "udp" | "tcp";
  readonly sourcePort?: number;
}

function ask({ host, port, protocol, sourcePort }: Question): Promise<string> {
  return new Promise((resolve) => {
    const fail = (error: Error & { code?: string }) =>
      resolve(error.code ?? error.message);
    if (protocol === "tcp") {
      const socket = connect({
        host,
        port,
        ...(sourcePort === undefined ? {} : { localPort: sourcePort }),
      });
      socket.on("error", fail);
      socket.on("data", (data) => resolve(data.toString()));
      socket.write("?");
      return;
    }
    const socket = createSocket(host.includes(":") ? "udp6" : "udp4");
    socket.on("error", fail);
    socket.on("message", (message) => resolve(message.toString()));
    socket.bind(sourcePort ?? 0, () => {
      socket.send("?", port, host, (error) => error && fail(error));
    });
  });
}

if (import.meta.main) {
  console.log(await ask(JSON.parse(Deno.args[0]!)));
  Deno.exit();
}
