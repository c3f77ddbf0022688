import assert from "node:assert/strict";
import fc from "fast-check";
import {
  parseExpose,
  routePorts,
} from "../../../../src/cluster/service/expose.ts";
import { containerPort } from "../../../../src/cluster/forward/forward_pods.ts";
import {
  agentConfig,
  containerPorts,
  localPorts,
  needsLowPorts,
  planPodPorts,
} from "../../../../src/cluster/shadow/pod_ports.ts";
import { statusPortName } from "../../../../src/cluster/pod/restricted_pod.ts";
import type { UnsupportedError } from "../../../../src/core/errors.ts";
import type { KubeObject } from "../../../../src/kube/kube_api.ts";
import { MemoryKube } from "../../../fakes/memory_kube.ts";

const { signal } = new AbortController();

interface Port {
  port: number;
  targetPort?: number | string;
}

/** The pod's ports for a Service with these ports, whose pods have these containers' ports. */
function plan(
  ports: readonly Port[],
  expose: string,
  named: Record<string, number> = {},
) {
  const service = {
    metadata: { name: "web" },
    spec: { selector: { app: "web" }, ports },
  };
  const kube = new MemoryKube();
  kube.listed = [{
    metadata: { name: "web-1" },
    spec: {
      containers: [{
        ports: Object.entries(named).map(([name, containerPort]) => ({
          name,
          containerPort,
        })),
      }],
    },
  }];
  const routes = routePorts(service, parseExpose(expose));
  return planPodPorts(kube.api, service, { routes, signal });
}

Deno.test("the pod listens on the targetPort's number", async () => {
  assert.deepEqual(await plan([{ port: 80, targetPort: 8080 }], "3000:80"), [
    { name: "kt-8080", port: 8080, servicePort: 80, local: 3000 },
  ]);
});

Deno.test("a named targetPort keeps its name and, above 1023, its number", async () => {
  const ports = [{ port: 80, targetPort: "http" }];
  assert.deepEqual(await plan(ports, "3000:80", { http: 8080 }), [
    { name: "http", port: 8080, servicePort: 80, local: 3000 },
  ]);
});

Deno.test("a named targetPort is found in a native sidecar too, and not in an init container that ends", async () => {
  const init = (name: string, containerPort: number) => ({
    name,
    ports: [{ name, containerPort }],
  });
  const spec = {
    containers: [{ name: "main" }],
    initContainers: [
      { ...init("proxy", 8080), restartPolicy: "Always" },
      init("setup", 9090),
    ],
  };
  const service = {
    metadata: { name: "web" },
    spec: {
      selector: { app: "web" },
      ports: [
        { port: 80, targetPort: "proxy" },
        { port: 81, targetPort: "setup" },
      ],
    },
  };
  const kube = new MemoryKube();
  const pod: KubeObject = { metadata: { name: "web-1" }, spec };
  kube.listed = [pod];
  const routes = routePorts(service, parseExpose("3000:80,3001:81"));
  const ports = await planPodPorts(kube.api, service, { routes, signal });
  assert.deepEqual(ports.map(({ port }) => port), [8080, 10_000]);
  assert.equal(containerPort(pod, "proxy"), 8080);
  assert.equal(containerPort(pod, "setup"), undefined);
});

Deno.test("a named targetPort that needs a privilege, or that no pod has, gets a free number", async () => {
  const ports = [{ port: 80, targetPort: "http" }, {
    port: 81,
    targetPort: "other",
  }];
  const planned = await plan(ports, "80,81", { http: 80 });
  assert.deepEqual(planned.map(({ name, port }) => [name, port]), [
    ["http", 10_000],
    ["other", 10_001],
  ]);
});

Deno.test("two ports of one targetPort are one listener, which leads where the exposed one does", async () => {
  const ports = [{ port: 80, targetPort: 8080 }, {
    port: 8081,
    targetPort: 8080,
  }];
  assert.deepEqual(await plan(ports, "3000:8081"), [
    { name: "kt-8080", port: 8080, servicePort: 80, local: 3000 },
  ]);
});

Deno.test("no two listeners of the pod share a number or a name, the agent's own included", async () => {
  const target = fc.oneof(
    fc.integer({ min: 1024, max: 65_535 }),
    fc.constantFrom(2222, 2223, 2224, 10_000, 10_001),
    fc.constantFrom("http", "admin", "grpc"),
  );
  const ports = fc.uniqueArray(
    fc.record({
      port: fc.integer({ min: 1, max: 65_535 }),
      targetPort: target,
    }),
    { selector: ({ port }) => port, minLength: 1, maxLength: 8 },
  );
  const named = fc.dictionary(
    fc.constantFrom("http", "admin", "grpc"),
    fc.constantFrom(80, 2222, 8080, 10_000),
  );
  await fc.assert(fc.asyncProperty(ports, named, async (given, names) => {
    const expose = given.map(({ port }) => `1:${port}`).join(",");
    const planned = await plan(given, expose, names);
    const { sshPort, statusPort } = agentConfig(planned, { ready: "always" });
    const numbers = [...planned.map(({ port }) => port), sshPort, statusPort];
    assert.equal(new Set(numbers).size, numbers.length, numbers.join());
    const portNames = planned.map(({ name }) => name);
    assert.equal(new Set(portNames).size, portNames.length);
    // the Service finds a number under itself, and a name under its name
    for (const { targetPort } of given) {
      assert.ok(
        planned.some(({ name, port }) =>
          typeof targetPort === "string"
            ? name === targetPort
            : port === targetPort
        ),
        `nothing listens for ${targetPort}`,
      );
    }
  }));
});

Deno.test("a port that is not exposed is passed to the original, or left out where there is no way to it", async () => {
  const ports = await plan([{ port: 80 }, { port: 9000 }], "3000:80");
  const to = (options: { fallbackHost?: string }) =>
    agentConfig(ports, { ready: "always", ...options }).ports;
  assert.deepEqual(to({ fallbackHost: "stuntman" }), [
    { port: 80, fallback: { host: "stuntman", port: 80 } },
    {
      port: 9000,
      fallback: { host: "stuntman", port: 9000 },
      isPassedThrough: true,
    },
  ]);
  assert.deepEqual(to({}), [{ port: 80 }]);
  assert.deepEqual(localPorts(ports), [{ podPort: 80, localPort: 3000 }]);
});

for (
  const [port, gitVersion, needed] of [
    [1024, "v1.20.2", false],
    [80, "v1.22.0", true],
    [1023, "v1.30.1", true],
  ] as const
) {
  Deno.test(`port ${port} on Kubernetes ${gitVersion} needs ${needed ? "the" : "no"} sysctl`, async () => {
    const kube = new MemoryKube();
    kube.gitVersion = gitVersion;
    const ports = [{ name: "x", port, servicePort: 80 }];
    const options = { signal, wayOut: "" };
    assert.equal(await needsLowPorts(kube.api, ports, options), needed);
  });
}

Deno.test("a port below 1024 is refused on Kubernetes 1.21, with the way out", async () => {
  const kube = new MemoryKube();
  kube.gitVersion = "v1.21.14";
  const ports = [{ name: "x", port: 80, servicePort: 80 }];
  await assert.rejects(
    needsLowPorts(kube.api, ports, { signal, wayOut: "Name the port" }),
    (error: UnsupportedError) => {
      assert.equal(error.code, "LOW_PORT");
      assert.match(error.message, /targetPort 80 .* v1\.21\.14/);
      assert.equal(error.hint, "Name the port");
      return true;
    },
  );
});

Deno.test("no port of ours is called as a named targetPort is", async () => {
  const ports = await plan(
    [
      { port: 80, targetPort: 8080 },
      { port: 81, targetPort: "kt-8080" },
      { port: 82, targetPort: "kt-status" },
    ],
    "3000:80",
    { "kt-8080": 9000, "kt-status": 9001 },
  );
  const names = ports.map(({ name }) => name);
  assert.deepEqual(names, ["kt-8080-2", "kt-8080", "kt-status"]);
  const all = [...names, statusPortName(containerPorts(ports))];
  assert.equal(new Set(all).size, 4);
  for (const name of all) assert.ok(name.length <= 15, name);
});
