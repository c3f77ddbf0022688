// The ways in which the kit reaches the cluster, by real proxies of this machine.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import { LinkError } from "../../../src/core/errors.ts";
import type { KubeApi } from "../../../src/kube/kube_api.ts";
import type { ClusterLink } from "../../../src/link/wire/cluster_link.ts";
import { dial } from "../../../src/link/wire/dial.ts";
import { SocksServer } from "../../../src/net/socks/socks_server.ts";
import { dialVia } from "../../../src/plugins/kit/dial_via.ts";
import { KitLink } from "../../../src/plugins/kit/kit_link.ts";
import { testTransport } from "../../../src/plugins/kit/kits.ts";
import {
  assertEcho,
  assertNoWay,
} from "../../../src/plugins/kit/testing_echo.ts";
import { docExamples } from "../../doc_examples.ts";
import { freePorts } from "../link/agent/agent_process.ts";

const ECHO = { host: "192.0.2.7", port: 7 };
const REFUSED = { host: "192.0.2.7", port: 9 };

/** A cluster of one echo. */
async function openEcho() {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on("error", () => {});
    socket.pipe(socket);
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as { port: number };
  const here: Pick<ClusterLink, "dial" | "resolver"> = {
    resolver: { nameservers: [], search: [], ndots: 1 },
    dial(host, port) {
      if (port !== 9) return dial({ host, port, timeoutMs: 5_000 });
      throw new LinkError("DIAL_REFUSED", "Cannot connect: refused");
    },
  };
  const link = new KitLink(here as ClusterLink, [ECHO.host], (asked) => ({
    host: "127.0.0.1",
    port: asked === 7 ? port : 9,
  }));
  return {
    link,
    port,
    [Symbol.asyncDispose]: async () =>
      void await new Promise((resolve) => server.close(resolve)),
  };
}

Deno.test("the kit proves http-proxy, which docs/plugin-authors.md shows, by CONNECT", async (t) => {
  await using cluster = await openEcho();
  await using examples = await docExamples();
  const { default: plugin } = await import(examples.path("http_proxy.ts"));
  const [port] = await freePorts(1);
  await testTransport({
    plugin,
    options: { httpPort: `${port}` },
    kube: {} as KubeApi,
    link: cluster.link,
    root: () => ({
      open: () => Promise.reject(new Error("root is not needed")),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    }),
    cidrs: [],
    echo: ECHO,
    refused: REFUSED,
    dial: dialVia(`http://127.0.0.1:${port}`),
    snapshot: () => Promise.resolve(""),
    step: (claim, run) => t.step(claim, run),
  });
});

Deno.test("the kit reaches an echo by SOCKS5, and is told what is refused", async () => {
  await using cluster = await openEcho();
  await using socks = await SocksServer.start({ port: 0, link: cluster.link });
  const by = dialVia(`socks5://127.0.0.1:${socks.port}`);
  await assertEcho(by, ECHO);
  await assertNoWay(by, REFUSED);
});

Deno.test("the kit reaches what a port leads to, whatever it asks for", async () => {
  await using cluster = await openEcho();
  await assertEcho(dialVia(`tcp://127.0.0.1:${cluster.port}`), REFUSED);
});

for (
  const via of ["127.0.0.1:80", "ftp://127.0.0.1:80", "socks5://127.0.0.1"]
) {
  Deno.test(`the kit says that it cannot read --via ${via}`, () => {
    assert.throws(() => dialVia(via), { code: "FLAG_INVALID" });
  });
}
