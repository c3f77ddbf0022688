// A transport plugin of somebody else's, as docs/plugin-authors.md shows it, loaded from a file.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { dial } from "../../src/link/wire/dial.ts";
import { LinkError } from "../../src/core/errors.ts";
import type { KubeApi } from "../../src/kube/kube_api.ts";
import type { ClusterLink } from "../../src/link/wire/cluster_link.ts";
import { testTransport } from "../../src/plugins/kit/kits.ts";
import { docExamples } from "../doc_examples.ts";
import { freePorts } from "../unit/link/agent/agent_process.ts";
import { openTestCluster } from "./cluster.ts";
import { run, succeeded } from "./command.ts";
import { assertNoTrace, Laptop } from "./laptop.ts";

Deno.test("a transport plugin from a file works as a mode of connect, and takes no root", async () => {
  const cluster = await openTestCluster();
  await using namespace = await cluster.demo();
  await using laptop = await Laptop.open(cluster, namespace);
  await using examples = await docExamples();
  const file = examples.path("port_map.ts");
  const before = await namespace.snapshot();
  const [port] = await freePorts(1);
  const map = ["--mapTo", "web:80", "--mapPort", `${port}`];
  const args = ["connect", "--plugin", file, "--mode", "port-map", ...map];
  const url = `http://127.0.0.1:${port}/`;
  for (const signal of ["SIGINT", "SIGKILL"] as const) {
    await using connect = laptop.start(args);
    const { mode, message, cidrs, dnsMode } = await connect.ready();
    assert.deepEqual([mode, cidrs, dnsMode], [
      "port-map",
      undefined,
      undefined,
    ]);
    assert.match(message, /leads to web:80/);
    const curl = ["curl", "-sS", "-m", "10", url];
    assert.match(succeeded(await run(curl[0]!, curl.slice(1))), /pod=web-/);
    const { code, stdout } = await connect.stop(signal);
    if (signal === "SIGINT") assert.equal(code, 0, stdout);
    assert.notEqual((await run(curl[0]!, curl.slice(1))).code, 0);
    if (signal === "SIGKILL") {
      // nothing of the plugin's own is recorded: it can be undone without it
      const cleaned = await laptop.run(["clean"]);
      assert.equal(cleaned.code, 0, cleaned.stdout);
    }
    await assertNoTrace({ namespace, laptop, before });
  }
});

Deno.test("what connect cannot load or does not know is told with what there is, and changes nothing", async () => {
  const cluster = await openTestCluster();
  await using namespace = await cluster.namespace();
  await using laptop = await Laptop.open(cluster, namespace);
  await using examples = await docExamples();
  const file = examples.path("port_map.ts");
  const before = await namespace.snapshot();
  const loaded = ["connect", "--plugin", file, "--mode"];

  const unknown = await laptop.run([...loaded, "port-mapp"]);
  assert.equal(unknown.code, 2, unknown.stdout);
  assert.equal(unknown.error?.["code"], "MODE_UNKNOWN");
  assert.match(
    unknown.error["hint"],
    /Did you mean "port-map"\? There are: tun2socks, sshuttle, port-map\.$/,
  );
  const without = await laptop.run([...loaded, "port-map"]);
  assert.equal(without.code, 2, without.stdout);
  assert.equal(without.error?.["code"], "PLUGIN_OPTIONS_INVALID");
  const foreign = await laptop.run([...loaded, "tun2socks", "--mapPort", "1"]);
  assert.equal(foreign.error?.["code"], "OPTION_OF_OTHER_MODE", foreign.stdout);

  const broken = `${laptop.stateHome}/broken.ts`;
  await Deno.writeTextFile(
    broken,
    `export default { apiVersion: 1, kind: "transport", name: "broken", steps: [], probe() {}, open() {} };`,
  );
  const refused = await laptop.run(["connect", "--plugin", broken]);
  assert.equal(refused.code, 8, refused.stdout);
  assert.equal(refused.error?.["code"], "PLUGIN_INVALID");
  assert.match(refused.error["message"], /broken\.ts: it has no needs\(\)/);
  await assertNoTrace({ namespace, laptop, before });
});

Deno.test("a transport plugin that takes a port and nothing else passes the conformance kit", async (t) => {
  await using examples = await docExamples();
  const { default: portMap } = await import(examples.path("port_map.ts"));
  const sockets: Socket[] = [];
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.push(socket);
    socket.on("error", () => {});
    socket.pipe(socket);
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port: echo } = server.address() as { port: number };
  const [local, refusing] = await freePorts(2);
  const host = "127.0.0.1";
  let isRefused = false;
  const link: Pick<ClusterLink, "dial"> = {
    dial(name, port) {
      assert.deepEqual([name, port], ["echo", 7]);
      if (!isRefused) return dial({ host, port: echo, timeoutMs: 5_000 });
      throw new LinkError("DIAL_REFUSED", "Cannot connect: refused");
    },
  };
  await testTransport({
    plugin: portMap,
    options: { mapTo: "echo:7", mapPort: `${local}` },
    kube: {} as KubeApi,
    link: link as ClusterLink,
    root: () => ({
      open: () => Promise.reject(new Error("root is not needed")),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    }),
    cidrs: [],
    // one port leads to one target: what is refused is told by the one that was asked for last
    echo: { host, port: local! },
    refused: { host, port: refusing! },
    dial({ port }) {
      isRefused = port === refusing;
      return dial({ host, port: local!, timeoutMs: 5_000 });
    },
    snapshot: async () =>
      succeeded(await run("ss", ["-Hltn", `sport = :${local}`])),
    step: (claim, run) => t.step(claim, run),
  });
  for (const socket of sockets) socket.destroy();
  await new Promise((resolve) => server.close(resolve));
});
