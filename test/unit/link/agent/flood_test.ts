// The status port is within reach of the whole cluster: what comes there from others must not end the agent.
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { agentSource } from "../../../../src/cluster/shadow/agent_source.ts";
import { linkToken } from "../../../../src/link/wire/link_request.ts";
import { openSshLink } from "../../../../src/link/client/open_ssh_link.ts";
import { connectLocal } from "../../../../src/link/client/connect_local.ts";
import { AgentProcess, answering, exchange, portOf } from "./agent_process.ts";
import { requestUpgrade } from "./request_upgrade.ts";

/** As a container with little memory has it, where more ends in OOMKilled. */
const MAX_MIB = 200;
const HEAP = "--v8-flags=--max-old-space-size=64,--max-semi-space-size=1";

interface Flood {
  title: string;
  connections: number;
  /** How many peers they come from; the kubelet's probes come from yet another. */
  neighbours: number;
  port: "statusPort" | "sshPort";
  /** So many may be open. */
  atMost: number;
  /** What each of them sends, without ever coming to an end. */
  sends: string;
  /** What the agent has after it. @default MAX_MIB */
  maxMib?: number;
}

const half = "GET /status HTTP/1.1\r\nHost: agent\r\n";
const floods: Flood[] = [
  {
    title: "requests with long headers",
    connections: 10_000,
    neighbours: 1,
    port: "statusPort",
    atMost: 64,
    sends: `${half}X: ${"x".repeat(7_000)}\r\n`,
    maxMib: 100, // as docs/guarantees.md says
  },
  {
    title: "silent connections of many neighbours",
    connections: 3_000,
    neighbours: 100,
    port: "statusPort",
    atMost: 256,
    sends: "",
  },
  {
    title: "silent port-forwards",
    connections: 1_000,
    neighbours: 1,
    port: "sshPort",
    atMost: 64,
    sends: "",
  },
  {
    title: "half-open requests",
    connections: 3_000,
    neighbours: 1,
    port: "statusPort",
    atMost: 64,
    sends: half,
  },
];

/** Opens them a hundred at a time; whoever is turned out stays away. Returns how many are still open. */
async function pour(
  port: number,
  { connections, neighbours, sends }: Flood,
): Promise<Set<Socket>> {
  const open = new Set<Socket>();
  for (let done = 0; done < connections; done += 100) {
    await Promise.all(Array.from({ length: 100 }, async (_, at) => {
      const localAddress = `127.0.1.${1 + at % neighbours}`;
      const socket = connect({ port, host: "127.0.0.1", localAddress });
      open.add(socket);
      socket.on("error", () => {}).resume();
      socket.once("close", () => open.delete(socket));
      // a connection may be reset before it is known to be one
      await Promise.race([once(socket, "connect"), once(socket, "close")])
        .catch(() => {});
      if (sends !== "" && !socket.destroyed) socket.write(sends);
    }));
  }
  return open;
}

/** Those that were turned out are told a moment later; the others sooner than their patience ends. */
async function closings(open: Set<Socket>, atMost: number): Promise<void> {
  const deadline = performance.now() + 3_000;
  while (open.size > atMost && performance.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Milliseconds until the kubelet has its answer. */
async function probe(agent: AgentProcess): Promise<number> {
  const begun = performance.now();
  assert.equal(await agent.ready(), 200);
  return performance.now() - begun;
}

Deno.test({
  name:
    "neighbours that flood the status port keep nobody else out, and take little memory",
  ignore: Deno.build.os !== "linux", // each neighbour is an address of its own on the loopback
  async fn() {
    const dir = await mkdtemp(`${tmpdir()}/ktctl-flood-`);
    try {
      const file = `${dir}/agent.js`;
      await writeFile(file, await agentSource());
      await using original = await answering("original");
      await using local = await answering("local");
      await using agent = await AgentProcess.start({
        command: ["run", HEAP, "-A", file],
        fallback: { host: "127.0.0.1", port: portOf(original) },
      });
      const token = linkToken(agent.hostKeys.publicKey);
      const stream = await requestUpgrade(agent, { token });
      assert(typeof stream !== "number", `refused with ${stream}`);
      await using link = await openSshLink(stream, {
        privateKey: agent.clientKeys.privateKey,
        hostPublicKey: agent.hostKeys.publicKey,
      });
      await link.attach(agent.port, () => connectLocal(portOf(local)));
      for (const flood of floods) {
        const probes: number[] = [];
        const pouring = pour(agent.config[flood.port], flood);
        let isPouring = true;
        pouring.finally(() => isPouring = false);
        while (isPouring) probes.push(await probe(agent));
        const open = await pouring;
        await closings(open, flood.atMost);
        probes.push(await probe(agent));
        const mib = Math.round(await agent.memory());
        console.log(
          `${flood.title}: ${open.size} of ${flood.connections} still open, ${mib} MiB, ` +
            `slowest answer ${Math.round(Math.max(...probes))} ms`,
        );
        assert.ok(open.size <= flood.atMost, `${open.size} are open`);
        const { maxMib = MAX_MIB } = flood;
        assert.ok(mib < maxMib, `${mib} MiB`);
        assert.equal(await exchange(agent.port, "abc"), "local 3");
        await (await agent.link()).close();
        if (flood === floods.at(-1)) {
          // they stay away, and are not waited for long
          await Promise.all([...open].map((socket) => once(socket, "close")));
        }
        for (const socket of open) socket.destroy();
      }
    } finally {
      await rm(dir, { recursive: true });
    }
  },
});
