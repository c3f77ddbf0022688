// What a start is told where our pod does not reach the pods behind the Service.
import assert from "node:assert/strict";
import {
  type OriginalProof,
  proveOriginal,
} from "../../../../src/cluster/pod/prove_original.ts";
import { Cancelled, ClusterError } from "../../../../src/core/errors.ts";
import type { KubeApi, KubeObject } from "../../../../src/kube/kube_api.ts";
import { readyPod } from "./ready_pod.ts";

const service: KubeObject = {
  metadata: { name: "web", namespace: "shop" },
  spec: {
    selector: { app: "web" },
    ports: [{ port: 80, targetPort: 8080 }, { port: 9000 }],
  },
};
const silent = {
  heardAt: Infinity,
  dial: () => new Promise<never>(() => {}),
};

interface Asked {
  /** As it is now. */
  readonly current?: KubeObject;
  readonly pods?: readonly KubeObject[];
  readonly error?: Error;
}

async function prove(
  { current = service, pods = [readyPod({ ip: "10.0.0.1" })], error }: Asked,
  options: Partial<OriginalProof> = {},
) {
  const warnings: string[] = [];
  const lists: unknown[] = [];
  const kube = {
    namespace: "default",
    find: () => Promise.resolve(current),
    list: (
      _: unknown,
      { namespace, labelSelector }: Record<string, unknown>,
    ) => {
      lists.push({ namespace, labelSelector });
      return error === undefined
        ? Promise.resolve(pods)
        : Promise.reject(error);
    },
  } as unknown as KubeApi;
  const isProven = await proveOriginal(kube, {
    service,
    fallbackHost: "10.96.0.1",
    role: "shadow-exchange",
    exposed: new Set([80]),
    link: silent,
    signal: new AbortController().signal,
    patienceMs: 100,
    warn: (code, message) => warnings.push(`${code} ${message}`),
    ...options,
  });
  return { isProven, warnings, lists };
}

Deno.test("an exchange is warned of who does not answer, and when, and told what to do", async () => {
  const { isProven, warnings, lists } = await prove({});
  assert.equal(isProven, false);
  assert.deepEqual(lists, [{ namespace: "shop", labelSelector: "app=web" }]);
  assert.deepEqual(warnings, [
    'ORIGINAL_UNREACHABLE The Shadow Pod does not reach the pods behind Service "web": on port 80 nobody answers while this laptop does not; on port 9000, which does not come here, nobody answers until the end. A NetworkPolicy is the likely reason: let it admit pods whose label kt-role is shadow-exchange',
  ]);
});

Deno.test("a mesh is refused, as all others' requests go through the router", async () => {
  await assert.rejects(prove({}, { isRouted: true, role: "shadow-mesh" }), {
    code: "ORIGINAL_UNREACHABLE",
    exitCode: 3,
    message:
      'Cannot mesh Service "web": our pods do not reach its pods on port 80, 9000, and the requests of all others would end there',
    hint:
      "A NetworkPolicy is the likely reason: let it admit pods whose label kt-role is router, and those where it is shadow-mesh.",
    details: ["no answer from 10.0.0.1:8080", "no answer from 10.0.0.1:9000"],
  });
});

const switched = {
  ...service,
  spec: {
    ...service.spec,
    selector: { "kt-role": "router", "kt-target": "a" },
  },
};

for (
  const [title, asked, options] of [
    ["no pod is ready", { pods: [readyPod({ isReady: false })] }, {}],
    ["there is no pod", { pods: [] }, {}],
    ["the Service leads to a router already", { current: switched }, {}],
    [
      "its pods may not be listed",
      { error: new ClusterError("API_ERROR", "no") },
      {},
    ],
    [
      "nobody knows its pods",
      {},
      { service: { ...service, spec: { ports: [{ port: 80 }] } } },
    ],
  ] satisfies [string, Asked, Partial<OriginalProof>][]
) {
  Deno.test(`nothing is said where ${title}`, async () => {
    const { isProven, warnings } = await prove(asked, {
      ...options,
      isRouted: true,
    });
    assert.equal(isProven, true);
    assert.deepEqual(warnings, []);
  });
}

Deno.test("the end of the command is no proof", async () => {
  await assert.rejects(prove({ error: new Cancelled() }), {
    code: "CANCELLED",
  });
});
