import assert from "node:assert/strict";
import {
  affinityPorts,
  warnOfAffinity,
} from "../../../../src/cluster/service/affinity_ports.ts";
import { agentConfig } from "../../../../src/cluster/shadow/pod_ports.ts";
import { routerConfig } from "../../../../src/cluster/router/router_config.ts";
import { runtimeChanges } from "../../../../src/cluster/router/router_runtime.ts";
import type { RouterState } from "../../../../src/cluster/router/router_state.ts";
import { stuntmanService } from "../../../../src/cluster/service/stuntman.ts";
import { clientSlot } from "../../../../src/link/wire/client_slot.ts";
import { own } from "../leftovers.ts";

function sticky(ports: readonly Record<string, unknown>[]) {
  return own("Service", "web", {
    selector: { app: "web" },
    sessionAffinity: "ClientIP",
    sessionAffinityConfig: { clientIP: { timeoutSeconds: 60 } },
    ports,
  });
}

const [one] = [sticky([{ port: 80, targetPort: "http", protocol: "TCP" }])];

Deno.test("the Stuntman Service of one that keeps clients keeps them too, for as long, at many ports that lead to the same", () => {
  const { spec } = stuntmanService(one, { selector: { app: "web" }, now: 1 });
  assert.equal(spec.sessionAffinity, "ClientIP");
  assert.deepEqual(spec.sessionAffinityConfig, {
    clientIP: { timeoutSeconds: 60 },
  });
  const [original, ...others] = spec.ports;
  assert.equal(original.port, 80);
  assert.equal(others.length, 32);
  assert.deepEqual(affinityPorts(one).get(80), { first: 40_000, count: 32 });
  for (const [at, port] of others.entries()) {
    assert.equal(port.port, 40_000 + at);
    assert.equal(port.targetPort, "http");
  }
  const names = spec.ports.map(({ name }: { name: string }) => name);
  assert.equal(new Set(names).size, 33); // each has one, as several must
  assert.ok(names.every((name: unknown) => typeof name === "string"));
});

Deno.test("a Service's own ports and their names stay, wherever they are", () => {
  const service = sticky([
    { name: "kt-81-0", port: 80, targetPort: 1 },
    { name: "b", port: 81, targetPort: 2 },
    { name: "c", port: 40_010, targetPort: 3 },
  ]);
  const { spec } = stuntmanService(service, { selector: {}, now: 1 });
  const ports: { name: string; port: number }[] = spec.ports;
  assert.equal(new Set(ports.map(({ port }) => port)).size, ports.length);
  assert.equal(new Set(ports.map(({ name }) => name)).size, ports.length);
  assert.deepEqual(ports.slice(0, 3).map(({ name, port }) => [name, port]), [
    ["kt-81-0", 80],
    ["b", 81],
    ["c", 40_010],
  ]);
});

Deno.test("a Service of very many ports gets no more than some hundred beside them", () => {
  const service = sticky(
    Array.from({ length: 200 }, (_, at) => ({ name: `p${at}`, port: at + 1 })),
  );
  const { spec } = stuntmanService(service, { selector: {}, now: 1 });
  assert.equal(spec.ports.length, 600);
});

Deno.test("a Service that keeps no clients gets no ports beside its own, and no warning", () => {
  const service = own("Service", "web", {
    sessionAffinity: "None",
    ports: [{ port: 80, targetPort: 8080 }],
  });
  const { spec } = stuntmanService(service, { selector: {}, now: 1 });
  assert.deepEqual(spec.ports, [{ port: 80, targetPort: 8080 }]);
  const warned: string[] = [];
  const log = { warn: (code: string) => warned.push(code) };
  warnOfAffinity(log, service, "meshed");
  warnOfAffinity(log, one, "exchanged");
  assert.deepEqual(warned, ["SESSION_AFFINITY"]);
});

Deno.test("the agent is told of the ports that its fallback has", () => {
  const ports = [{ name: "http", port: 8080, servicePort: 80 }];
  const [port] = agentConfig(ports, {
    ready: "always",
    fallbackHost: "10.96.0.1",
    affinity: affinityPorts(one),
  }).ports;
  assert.deepEqual(port?.fallback, {
    host: "10.96.0.1",
    port: 80,
    affinity: { first: 40_000, count: 32 },
  });
});

Deno.test("clients are spread over all slots, and each has always the same", () => {
  const slots = Array.from({ length: 512 }, (_, at) => {
    const address = `10.244.${at >> 8}.${at & 255}`;
    assert.equal(clientSlot(address, 32), clientSlot(address, 32));
    return clientSlot(address, 32);
  });
  const counts = Array.from(
    { length: 32 },
    (_, slot) => slots.filter((one) => one === slot).length,
  );
  assert.ok(Math.min(...counts) >= 4 && Math.max(...counts) <= 40, `${counts}`);
});

const router: RouterState = {
  namespace: "test",
  service: "web",
  podName: "web-kt-router",
  podTarget: "x",
  origin: "10.96.0.1",
  ports: [{
    name: "http",
    port: 8080,
    servicePort: 80,
    affinity: { first: 40_000, count: 3 },
  }],
  statusPort: 9900,
  runtimePort: 9901,
  lowPorts: false,
  participants: [],
};

Deno.test("the router balances by the client's address, in each of its backends", () => {
  const text = routerConfig(router).join("");
  const balanced = text.match(
    /balance source\n {2}hash-type .*\n(?: {2}server origin_\d 10\.96\.0\.1:4000\d weight 1.*\n){3}/g,
  );
  assert.equal(balanced?.length, 3);
  assert.doesNotMatch(text, /server origin /);
});

Deno.test("at a new address of the Stuntman Service each of the router's servers keeps its port", () => {
  const server = { checkPort: 0, isEnabled: true, isUp: true };
  const servers = new Map(
    ["origin_0", "origin_1"].map((name, at) => [
      `h1_8080/${name}`,
      { ...server, address: "10.96.0.1", port: 40_000 + at },
    ]),
  );
  const actual = { marks: new Map(), others: new Map(), servers };
  assert.deepEqual(runtimeChanges(router, actual, "10.96.0.2"), [
    "set server h1_8080/origin_0 addr 10.96.0.2 port 40000",
    "set server h1_8080/origin_1 addr 10.96.0.2 port 40001",
  ]);
  assert.deepEqual(runtimeChanges(router, actual, "10.96.0.1"), []);
});
