// Runs inside a network namespace with a /run of its own: the conformance kit on one of the built-in
// transports, with a real root helper and a made-up cluster. Prints one line a claim.
import { createServer } from "node:net";
import { dial } from "../../src/link/wire/dial.ts";
import { LinkError, messageOf } from "../../src/core/errors.ts";
import { exec } from "../../src/core/exec.ts";
import type { RootHelperClient } from "../../src/helper/root_helper_client.ts";
import { startHelper } from "../../src/helper/start_helper.ts";
import type { KubeApi } from "../../src/kube/kube_api.ts";
import type { ClusterLink } from "../../src/link/wire/cluster_link.ts";
import { listen } from "../../src/net/listen.ts";
import {
  type TestedRoot,
  testTransport,
} from "../../src/plugins/kit/testing_transport.ts";
import sshuttle from "../../src/plugins/transport/sshuttle.ts";
import tun2socks from "../../src/plugins/transport/tun2socks.ts";
import { socksDial } from "./socks_dial.ts";
import { testedHelper } from "./tested_helper.ts";

export interface KitConfig {
  readonly plugin: "tun2socks" | "sshuttle";
  readonly options: Record<string, string>;
  /** Whether applications find the cluster by its addresses, or by the proxy. */
  readonly captures: boolean;
}

/** One line of output. */
export interface KitLine {
  readonly claim: string;
  readonly error?: string;
}

/** What nobody captures is refused on its way out. */
const OUTSIDE = ["10.96.0.0/16", "10.200.1.0/24"];
const REFUSED_PORT = 81;
const PROXY_PORT = 2223;

const SNAPSHOT = [
  "ip -o link | cut -d: -f2-",
  "ip -o address | cut -d: -f2-",
  "ip -4 route show table all; ip -6 route show table all",
  "ip rule; ip -6 rule",
  "nft list ruleset",
  "ss -Hltnu",
  "cat /etc/resolv.conf /etc/hosts",
].join("; echo --; ");

const must = async (command: string, ...args: string[]): Promise<string> => {
  const { code, stdout, stderr } = await exec(command, args);
  if (code !== 0) throw new Error(`${command}: ${stderr}`);
  return stdout;
};

async function snapshot(): Promise<string> {
  const text = await must("sh", "-c", SNAPSHOT);
  // the kernel looks for doubles of an address for a while
  return text.includes("tentative") ? await snapshot() : text;
}

async function echoLink(): Promise<ClusterLink> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on("error", () => {});
    socket.pipe(socket);
  });
  const echo = await listen(server, { host: "127.0.0.1", port: 0, hint: "" });
  const link: Pick<ClusterLink, "dial"> = {
    dial(_host, port) {
      if (port !== REFUSED_PORT) {
        const host = "127.0.0.1";
        return dial({ host, port: echo, timeoutMs: 5_000 });
      }
      throw new LinkError("DIAL_REFUSED", "Cannot connect: refused");
    },
  };
  return link as ClusterLink;
}

/** A helper that is started when it is first asked for something. */
function helperRoot(signal: AbortSignal): TestedRoot {
  let client: Promise<RootHelperClient> | undefined;
  const start = async () =>
    await startHelper({ signal, command: await testedHelper(signal) });
  return {
    async open(operation, args, onEvent) {
      const helper = await (client ??= start());
      return await helper.open(operation, args, onEvent, { signal });
    },
    async [Symbol.asyncDispose]() {
      const helper = await client?.catch(() => undefined);
      await helper?.[Symbol.asyncDispose]();
    },
  };
}

async function main({ plugin, options, captures }: KitConfig): Promise<void> {
  const say = (line: KitLine) => console.log(JSON.stringify(line));
  await must(
    "nft",
    `table inet kit { chain out { type filter hook output priority 0;
       oifname "out" ip daddr { ${OUTSIDE.join(", ")} } reject; }; }`,
  );
  const host = "10.96.0.1";
  await testTransport({
    plugin: { tun2socks, sshuttle }[plugin],
    options,
    kube: {} as KubeApi,
    link: await echoLink(),
    root: captures ? helperRoot : () => ({
      open: () => Promise.reject(new Error("root is not needed")),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    }),
    cidrs: captures ? [OUTSIDE[0]!, "fd96::/112"] : [],
    echo: { host, port: 7 },
    refused: { host, port: REFUSED_PORT },
    ...captures &&
      { added: { host: "10.200.1.1", port: 7, cidr: OUTSIDE[1]! } },
    dial: (target) =>
      captures
        ? dial({ ...target, timeoutMs: 5_000 })
        : socksDial(PROXY_PORT, target),
    snapshot,
    async step(claim, run) {
      try {
        await run();
        say({ claim });
      } catch (error) {
        say({ claim, error: (error as Error).stack ?? messageOf(error) });
      }
    },
  });
}

if (import.meta.main) {
  await main(JSON.parse(Deno.args[0]!));
  Deno.exit(0);
}
