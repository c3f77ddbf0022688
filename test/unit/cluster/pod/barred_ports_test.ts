// Which ports of a Service a pod of ours reaches nowhere: by the real agent where it can be had.
import assert from "node:assert/strict";
import type { Duplex } from "node:stream";
import { pause } from "../../../../src/core/backoff.ts";
import { barredPorts } from "../../../../src/cluster/pod/barred_ports.ts";
import type { ServicePort } from "../../../../src/cluster/service/expose.ts";
import { Cancelled, LinkError } from "../../../../src/core/errors.ts";
import {
  AgentProcess,
  listen,
  portOf,
} from "../../link/agent/agent_process.ts";
import { readyPod } from "./ready_pod.ts";

const silence = () => new Promise<never>(() => {});
const NEVER = new AbortController().signal;
const PATIENCE_MS = 300;

function port(
  port: number,
  targetPort: ServicePort["targetPort"],
  protocol = "TCP",
): ServicePort {
  return { port, targetPort, protocol };
}

/** A link whose dials come to what is said, and which addresses were dialled. */
function linkOf(
  dial: (host: string, port: number, attempt: number) => Promise<Duplex>,
  heardAt = () => Date.now(),
) {
  const dialled: string[] = [];
  return {
    dialled,
    get heardAt() {
      return heardAt();
    },
    dial(host: string, port: number) {
      dialled.push(`${host} ${port}`);
      return dial(host, port, dialled.length);
    },
  };
}

function look(
  pods: Parameters<typeof barredPorts>[0],
  link: Parameters<typeof barredPorts>[1]["link"],
  options: Partial<Parameters<typeof barredPorts>[1]> = {},
) {
  return barredPorts(pods, {
    ports: [port(80, 8080)],
    wantsIPv6: false,
    patienceMs: PATIENCE_MS,
    signal: NEVER,
    link,
    ...options,
  });
}

const refused = () =>
  Promise.reject(new LinkError("DIAL_REFUSED", "connection refused"));
const unreachable = () =>
  Promise.reject(new LinkError("DIAL_UNREACHABLE", "no route to the host"));

Deno.test("a port at which a pod accepts is not barred; the pod sees a connection end without a byte", async () => {
  const seen = Promise.withResolvers<string>();
  await using original = await listen((socket) => {
    socket.on("data", (data) => seen.resolve(`${data}`));
    socket.on("error", (error) => seen.resolve(error.message));
    socket.on("end", () => {
      socket.end();
      seen.resolve("end");
    });
  });
  await using agent = await AgentProcess.start();
  const link = await agent.link();
  const ports = [port(80, portOf(original))];
  const startedAt = performance.now();
  assert.deepEqual(
    await look([readyPod()], link, { ports, patienceMs: 5_000 }),
    [],
  );
  assert.ok(performance.now() - startedAt < 2_000);
  assert.equal(await seen.promise, "end");
  await link.close();
});

Deno.test("a port that refuses is not barred: many a program listens late", async () => {
  const closed = await listen(() => {});
  const ports = [port(80, portOf(closed))];
  await closed[Symbol.asyncDispose]();
  await using agent = await AgentProcess.start();
  const link = await agent.link();
  assert.deepEqual(await look([readyPod()], link, { ports }), []);
  await link.close();
});

for (
  const [title, readinessProbe, isBarred] of [
    ["the kubelet sees something listen", { tcpSocket: { port: 8080 } }, true],
    ["it sees that by the port's name", { httpGet: { port: "http" } }, true],
    ["it looks at another port", { grpc: { port: 9000 } }, false],
    ["it looks elsewhere", { httpGet: { port: 8080, host: "x" } }, false],
    ["it runs a program", { exec: { command: ["true"] } }, false],
    ["it is told nonsense", { tcpSocket: 7 }, false],
  ] as const
) {
  Deno.test(`a port that refuses where ${title} is ${isBarred ? "" : "not "}barred`, async () => {
    const pod = readyPod({ ports: { http: 8080 }, readinessProbe });
    const found = await look([pod], linkOf(refused));
    assert.equal(found.length, isBarred ? 1 : 0);
  });
}

for (
  const [title, dial] of [
    ["says nothing", silence],
    ["is told to be out of reach", unreachable],
  ] as const
) {
  Deno.test(`a port that ${title} at every pod is barred, when time is up`, async () => {
    const pods = [readyPod({ ip: "10.0.0.1" }), readyPod({ ip: "10.0.0.2" })];
    const startedAt = performance.now();
    assert.deepEqual(await look(pods, linkOf(dial)), [
      { port: 80, addresses: ["10.0.0.1:8080", "10.0.0.2:8080"] },
    ]);
    const ms = performance.now() - startedAt;
    assert.ok(ms >= PATIENCE_MS - 20 && ms < PATIENCE_MS + 1_000, `${ms} ms`);
  });
}

Deno.test("one pod that answers is enough, and the others are not waited for", async () => {
  const pods = ["10.0.0.1", "10.0.0.2", "10.0.0.3"].map((ip) =>
    readyPod({ ip })
  );
  const link = linkOf((host) => host === "10.0.0.2" ? refused() : silence());
  const startedAt = performance.now();
  assert.deepEqual(await look(pods, link, { patienceMs: 10_000 }), []);
  assert.ok(performance.now() - startedAt < 1_000);
});

Deno.test("a network that lets in a pod a moment after its start does not bar it", async () => {
  const link = linkOf((_host, _port, attempt) =>
    attempt < 3 ? unreachable() : refused()
  );
  const options = { patienceMs: 10_000 };
  assert.deepEqual(await look([readyPod()], link, options), []);
  assert.equal(link.dialled.length, 3);
});

Deno.test("each port is looked at by itself, those of one targetPort together", async () => {
  const ports = [
    ...[port(80, "http"), port(443, "http"), port(9000, 9000)],
    ...[port(53, 5353, "UDP"), port(70, "none-has-it")],
  ];
  const link = linkOf((_host, port) => port === 9000 ? refused() : silence());
  const pods = [
    readyPod({ ip: "10.0.0.1", ports: { http: 8080 } }),
    readyPod({ ip: "10.0.0.2", ports: { http: 8081 } }),
  ];
  const addresses = ["10.0.0.1:8080", "10.0.0.2:8081"];
  assert.deepEqual(await look(pods, link, { ports }), [
    { port: 80, addresses },
    { port: 443, addresses },
  ]);
  assert.deepEqual(link.dialled.toSorted(), [
    ...["10.0.0.1 8080", "10.0.0.1 9000"],
    ...["10.0.0.2 8081", "10.0.0.2 9000"],
  ]);
});

Deno.test("pods that are not ready, on their way out or ours are not asked", async () => {
  const link = linkOf(silence);
  const pods = [
    readyPod({ isReady: false }),
    readyPod({ isGoing: true }),
    readyPod({ labels: { "kt-role": "router" } }),
  ];
  assert.deepEqual(await look(pods, link), []);
  assert.deepEqual(await look([], link), []);
  assert.deepEqual(link.dialled, []);
});

Deno.test("of many pods four are asked, of different nodes where there are", async () => {
  const link = linkOf(silence);
  const pods = Array.from(
    { length: 40 },
    (_, at) =>
      readyPod({ ip: `10.0.0.${at}`, node: at < 37 ? "big" : `node-${at}` }),
  );
  await look(pods, link);
  assert.deepEqual(
    link.dialled.toSorted(),
    ["10.0.0.0 8080", "10.0.0.37 8080", "10.0.0.38 8080", "10.0.0.39 8080"],
  );
});

Deno.test("pods are asked at the address of the family that the traffic takes", async () => {
  const pods = [readyPod({ ip: "10.0.0.1", otherIp: "fd00::1" })];
  const link = linkOf(silence);
  assert.deepEqual(await look(pods, link, { wantsIPv6: true }), [
    { port: 80, addresses: ["[fd00::1]:8080"] },
  ]);
  assert.deepEqual(link.dialled, ["fd00::1 8080"]);
});

for (
  const [title, link] of [
    [
      "a link that has said nothing for a while",
      linkOf(silence, () => Date.now() - 2_000),
    ],
    [
      "a link that ends",
      linkOf(() => Promise.reject(new LinkError("LINK_LOST", "gone"))),
    ],
    [
      "an agent that cannot dial",
      linkOf(() => Promise.reject(new LinkError("DIAL_FAILED", "why not"))),
    ],
  ] as const
) {
  Deno.test(`${title} proves nothing against the pods`, async () => {
    assert.deepEqual(await look([readyPod()], link), []);
  });
}

Deno.test("the end of the command ends the look", async () => {
  const ended = new AbortController();
  const looking = look([readyPod()], linkOf(silence), {
    signal: ended.signal,
    patienceMs: 60_000,
  });
  await pause(20, NEVER);
  ended.abort(new Cancelled());
  await assert.rejects(looking, { code: "CANCELLED" });
});
