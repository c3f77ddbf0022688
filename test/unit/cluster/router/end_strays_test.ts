import assert from "node:assert/strict";
import { endStrays } from "../../../../src/cluster/router/end_strays.ts";
import { routerConfigMap } from "../../../../src/cluster/router/router_objects.ts";
import type { RouterState } from "../../../../src/cluster/router/router_state.ts";
import type {
  DeleteOptions,
  KubeObject,
  ObjectRef,
} from "../../../../src/kube/kube_api.ts";
import { MemoryKube } from "../../../fakes/memory_kube.ts";
import { made, NOW } from "../leftovers.ts";

const { signal } = new AbortController();

const router: RouterState = {
  namespace: "test",
  service: "web",
  podName: "web-kt-router-abcde",
  podTarget: "AbC",
  origin: "",
  ports: [{ name: "kt-80", port: 80, servicePort: 80 }],
  statusPort: 9900,
  runtimePort: 9901,
  lowPorts: false,
  participants: [],
};

class StrayKube extends MemoryKube {
  deleted: [string, DeleteOptions][] = [];

  delete({ name }: ObjectRef, options: DeleteOptions): Promise<boolean> {
    this.deleted.push([name, options]);
    return Promise.resolve(true);
  }
}

function pod(
  name: string,
  {
    state = { running: {} },
    annotations = { "ktctl.dev/router": "1" },
    ...meta
  }: {
    state?: unknown;
    annotations?: Record<string, string>;
    deletionTimestamp?: string;
  } = {},
): KubeObject {
  const object = made("Pod", name, {
    role: "router",
    target: "AbC",
    annotations,
  });
  const containerStatuses = [{ name: "standalone", state }];
  return {
    ...object,
    metadata: { ...object.metadata, ...meta },
    status: { containerStatuses },
  };
}

/** What is deleted where the record is `recorded`. */
async function ended(
  recorded: RouterState | undefined,
  pods: readonly KubeObject[],
): Promise<{ deleted: StrayKube["deleted"]; podName: string | undefined }> {
  const kube = new StrayKube(recorded && routerConfigMap(recorded, NOW));
  kube.listed = [...pods];
  const current = await endStrays(kube.api, router, signal);
  return { deleted: kube.deleted, podName: current?.podName };
}

const ALL = [
  pod("web-kt-router-abcde"),
  pod("web-kt-router"),
  pod("web-kt-router-pqrst", { state: { waiting: {} } }),
  pod("web-kt-router-going", { deletionTimestamp: "2026-01-01T00:00:00Z" }),
  pod("web-kt-router-other", { annotations: {} }),
  pod("db-kt-router"),
];

Deno.test("Router Pods that the record does not name end: with their connections, at once where they never ran", async () => {
  assert.deepEqual(await ended(router, ALL), {
    podName: "web-kt-router-abcde",
    deleted: [
      ["web-kt-router", {
        gracePeriodSeconds: 3600,
        uid: "uid-Pod-web-kt-router",
      }],
      ["web-kt-router-pqrst", {
        gracePeriodSeconds: 0,
        uid: "uid-Pod-web-kt-router-pqrst",
      }],
    ],
  });
});

Deno.test("none ends while another participant changes or ends the router", async () => {
  const renamed = { ...router, podName: "web-kt-router-zzzzz" };
  assert.deepEqual(await ended(renamed, ALL), {
    podName: "web-kt-router-zzzzz",
    deleted: [],
  });
  for (
    const gone of [
      undefined,
      { ...router, closing: true as const },
      { ...router, podTarget: "XyZ" },
    ]
  ) {
    assert.deepEqual(await ended(gone, ALL), {
      podName: undefined,
      deleted: [],
    });
  }
});
