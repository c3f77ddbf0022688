// A network that the laptop is in, with one other machine, which answers HTTP by its name.
import { succeeded } from "./command.ts";
import type { NetLaptop } from "./net_laptop.ts";

const NAME = "office";
const SERVER =
  `Deno.serve({ port: 80, onListen: () => console.log("ready") }, () => new Response("${NAME}"))`;

export interface OfficeOptions {
  /** The laptop's own address with the network's length: `10.96.200.1/24`. */
  readonly own: string;
  /** The other machine's. */
  readonly machine: string;
  /** Networks behind that machine. */
  readonly routes?: readonly string[];
}

/** Until it is disposed of. */
export async function joinOffice(
  laptop: NetLaptop,
  { own, machine, routes = [] }: OfficeOptions,
): Promise<AsyncDisposable> {
  const [, length] = own.split("/");
  const inside = `ip netns exec ${NAME}`;
  await laptop.output(
    "sh",
    "-euc",
    [
      `ip netns add ${NAME}`,
      `ip link add ${NAME} type veth peer name desk netns ${NAME}`,
      `ip link set ${NAME} addrgenmode none up`,
      `ip address add ${own} dev ${NAME}`,
      `${inside} ip link set lo up`,
      `${inside} ip link set desk up`,
      `${inside} ip address add ${machine}/${length} dev desk`,
      ...routes.map((route) => `ip route add ${route} via ${machine}`),
    ].join("\n"),
  );
  const server = laptop.spawn(
    ["ip", "netns", "exec", NAME, Deno.execPath(), "eval", SERVER],
    { stdout: "piped" },
  );
  const reader = server.stdout.getReader();
  await reader.read();
  return {
    async [Symbol.asyncDispose]() {
      server.kill("SIGKILL");
      await server.status;
      await reader.cancel();
      succeeded(await laptop.run(["ip", "netns", "delete", NAME]));
    },
  };
}
