// Which pods `forward` takes, from what the API says of them.
import assert from "node:assert/strict";
import type { ForwardPod } from "../../../../src/cluster/forward/forward_pods.ts";
import {
  planForward,
  selectorText,
} from "../../../../src/cluster/forward/forward_route.ts";
import { parseForwardTarget } from "../../../../src/cluster/forward/forward_target.ts";
import type { ResourceTarget } from "../../../../src/cluster/forward/forward_target.ts";
import type {
  KubeObject,
  WatchEvent,
  WatchOptions,
} from "../../../../src/kube/kube_api.ts";
import { MemoryKube } from "../../../fakes/memory_kube.ts";

const { signal } = new AbortController();

/** A cluster whose watches tell a story. */
class ToldKube extends MemoryKube {
  story: WatchEvent[] = [];
  asked: Omit<WatchOptions, "signal"> | undefined;

  async *watch(_resource: unknown, options: WatchOptions) {
    const { signal: _, ...asked } = options;
    this.asked = asked;
    yield* this.story;
  }
}

function plan(kube: MemoryKube, target: string, ports?: string) {
  const parsed = parseForwardTarget(target, ports) as ResourceTarget;
  return planForward(kube.api, parsed, signal);
}

function service(spec: Record<string, unknown>): ToldKube {
  return new ToldKube({
    metadata: { name: "web" },
    spec: { selector: { app: "web" }, ...spec },
  });
}

const twoPorts = {
  ports: [
    { name: "http", port: 80, targetPort: "web", protocol: "TCP" },
    { name: "dns", port: 53, protocol: "UDP" },
    { name: "admin", port: 9000 },
  ],
};

async function told(
  follow: AsyncIterable<readonly ForwardPod[]>,
): Promise<ForwardPod[][]> {
  const lists: ForwardPod[][] = [];
  for await (const pods of follow) lists.push([...pods]);
  return lists;
}

function slice(
  ports: object[],
  names: readonly string[],
  { name = "web-1", ...fields }: Record<string, unknown> = {},
): KubeObject {
  return {
    kind: "EndpointSlice",
    metadata: {
      name: String(name),
      labels: { "kubernetes.io/service-name": "web" },
    },
    addressType: "IPv4",
    endpoints: names.map((name) => ({
      addresses: ["10.0.0.1"],
      targetRef: { kind: "Pod", name, uid: `uid of ${name}` },
      ...fields,
    })),
    ports,
  };
}

const podOf = (name: string, port: number) => ({
  name,
  uid: `uid of ${name}`,
  port,
});

Deno.test("a Service leads to its endpoints, with each one's number of a named port", async () => {
  const kube = service(twoPorts);
  const { admin, http } = {
    admin: { name: "admin", port: 9 },
    http: { name: "http", port: 8081 },
  };
  kube.story = [
    { type: "ADDED", object: slice([{ name: "http", port: 8080 }], ["a"]) },
    { type: "SYNCED" },
    { type: "MODIFIED", object: slice([admin, http], ["b", "c"]) },
    { type: "ADDED", object: slice([http], ["d"], { name: "web-2" }) },
    { type: "MODIFIED", object: slice([], []) },
    { type: "DELETED", object: slice([], [], { name: "web-2" }) },
  ];
  const route = await plan(kube, "web", "8080:80");
  assert.equal(route.port, 80);
  assert.deepEqual(await told(route.follow(signal)), [
    [podOf("a", 8080)],
    [podOf("b", 8081), podOf("c", 8081)],
    [podOf("b", 8081), podOf("c", 8081), podOf("d", 8081)],
    [podOf("d", 8081)],
    [],
  ]);
  assert.deepEqual(kube.asked, {
    labelSelector: "kubernetes.io/service-name=web",
  });
});

Deno.test("a Service's port without a name is found", async () => {
  const kube = service({ ports: [{ port: 80 }] });
  const object = slice([{ name: "", port: 8080 }], ["a"]);
  kube.story = [{ type: "ADDED", object }, { type: "SYNCED" }];
  const route = await plan(kube, "web");
  assert.deepEqual(await told(route.follow(signal)), [[podOf("a", 8080)]]);
});

Deno.test("a pod with addresses of both families is one", async () => {
  const kube = service({ ports: [{ port: 80 }] });
  const ports = [{ port: 8080 }];
  kube.story = [
    { type: "ADDED", object: slice(ports, ["a"]) },
    { type: "ADDED", object: slice(ports, ["a", "b"], { name: "web-6" }) },
    { type: "SYNCED" },
  ];
  const route = await plan(kube, "web");
  assert.deepEqual(await told(route.follow(signal)), [
    [podOf("a", 8080), podOf("b", 8080)],
  ]);
});

for (
  const [conditions, isTaken] of [
    [{}, true],
    [{ ready: true, serving: true, terminating: false }, true],
    [{ ready: false }, false],
    [{ serving: true }, true],
    [{ ready: false, serving: true, terminating: true }, false],
    [{ ready: true, terminating: true }, false],
  ] as const
) {
  Deno.test(`an endpoint of ${JSON.stringify(conditions)} is ${isTaken ? "" : "not "}taken`, async () => {
    const kube = service({ ports: [{ port: 80 }] });
    const object = slice([{ port: 8080 }], ["a"], { conditions });
    kube.story = [{ type: "ADDED", object }, { type: "SYNCED" }];
    const route = await plan(kube, "web");
    const pods = isTaken ? [podOf("a", 8080)] : [];
    assert.deepEqual(await told(route.follow(signal)), [pods]);
  });
}

Deno.test("an endpoint that is no pod is left out", async () => {
  const kube = service({ ports: [{ port: 80 }] });
  const object = slice([{ port: 8080 }], ["a"]);
  object["endpoints"].unshift({ addresses: ["192.0.2.1"] });
  kube.story = [{ type: "ADDED", object }, { type: "SYNCED" }];
  const route = await plan(kube, "web");
  assert.deepEqual(await told(route.follow(signal)), [[podOf("a", 8080)]]);
});

for (
  const [ports, code, hint] of [
    [undefined, "FORWARD_WHICH_PORT", /80, 9000/],
    ["81", "FORWARD_UNKNOWN_PORT", /80 \(http\), 53 \(dns\), 9000 \(admin\)/],
    ["53", "UDP_PORT", undefined],
    ["8080:https", "FORWARD_UNKNOWN_PORT", /80 \(http\)/],
  ] as const
) {
  Deno.test(`a Service with three ports and "${ports}" is ${code}`, async () => {
    const expected = hint === undefined ? { code } : { code, hint };
    await assert.rejects(plan(service(twoPorts), "web", ports), expected);
  });
}

for (
  const [spec, code, hint] of [
    [
      { type: "ExternalName", externalName: "db.example.com" },
      "SERVICE_EXTERNAL_NAME",
      /forward db\.example\.com:/,
    ],
    [{ selector: {} }, "SERVICE_WITHOUT_SELECTOR", /\.test:<port>/],
  ] as const
) {
  Deno.test(`${code} is refused, with the way that there is`, async () => {
    const kube = service({ ports: [{ port: 80 }], ...spec });
    await assert.rejects(plan(kube, "web"), { code, hint });
  });
}

Deno.test("a name that nothing has is not found", async () => {
  const kube = new MemoryKube();
  kube.listed = [{ metadata: { name: "web" } }];
  await assert.rejects(plan(kube, "wbe", "80"), {
    code: "SERVICE_NOT_FOUND",
    hint: /"web"/,
  });
});

function pod(
  name: string,
  { createdAt = 0, ready = true, gone = false, port = 8080 } = {},
): KubeObject {
  return {
    metadata: {
      name,
      uid: `uid of ${name}`,
      creationTimestamp: new Date(createdAt * 1000).toISOString(),
      ...(gone ? { deletionTimestamp: "now" } : {}),
    },
    spec: { containers: [{ ports: [{ name: "http", containerPort: port }] }] },
    status: {
      conditions: [{ type: "Ready", status: ready ? "True" : "False" }],
    },
  };
}

Deno.test("a Deployment leads to its ready pods, the newest first", async () => {
  const kube = new ToldKube({
    metadata: { name: "web" },
    spec: {
      selector: { matchLabels: { app: "web" } },
      template: pod("template"),
    },
  });
  kube.story = [
    { type: "ADDED", object: pod("old", { createdAt: 1 }) },
    { type: "ADDED", object: pod("new", { createdAt: 3, port: 8081 }) },
    { type: "ADDED", object: pod("slow", { createdAt: 4, ready: false }) },
    { type: "ADDED", object: pod("going", { createdAt: 5, gone: true }) },
    { type: "SYNCED" },
    { type: "DELETED", object: pod("new") },
  ];
  const route = await plan(kube, "deploy/web", "9:http");
  assert.equal(route.port, 8080);
  assert.deepEqual(await told(route.follow(signal)), [
    [podOf("new", 8081), podOf("old", 8080)],
    [podOf("old", 8080)],
  ]);
  assert.deepEqual(kube.asked, { labelSelector: "app=web" });
});

Deno.test("a pod's only port is taken where none is named", async () => {
  const kube = new ToldKube(pod("web-0"));
  kube.story = [{ type: "ADDED", object: pod("web-0") }, { type: "SYNCED" }];
  const route = await plan(kube, "pod/web-0");
  assert.equal(route.port, 8080);
  assert.deepEqual(await told(route.follow(signal)), [[podOf("web-0", 8080)]]);
  assert.deepEqual(kube.asked, { fieldSelector: "metadata.name=web-0" });
});

Deno.test("a pod's port need not be declared", async () => {
  const route = await plan(new ToldKube(pod("web-0")), "pod/web-0", "9999");
  assert.equal(route.port, 9999);
});

Deno.test("a selector is written as the API reads it", () => {
  const selector = {
    matchLabels: { app: "web", tier: "a" },
    matchExpressions: [
      { key: "v", operator: "In", values: ["1", "2"] },
      { key: "x", operator: "NotIn", values: ["3"] },
      { key: "y", operator: "Exists" },
      { key: "z", operator: "DoesNotExist" },
    ],
  };
  assert.equal(
    selectorText(selector),
    "app=web,tier=a,v in (1,2),x notin (3),y,!z",
  );
});
