import assert from "node:assert/strict";
import { UsageError } from "../../../src/core/errors.ts";
import { readOptions } from "../../../src/plugins/driver.ts";
import { routerConfigMap } from "../../../src/cluster/router/router_objects.ts";
import type { KubeObject, ObjectRef } from "../../../src/kube/kube_api.ts";
import type {
  RoutingContext,
  RoutingPlugin,
} from "../../../src/plugins/plugin.ts";
import routerPod from "../../../src/plugins/routing/router_pod.ts";
import { MemoryKube } from "../../fakes/memory_kube.ts";
import { NOW, own, switchedService } from "../cluster/leftovers.ts";
import { EMPTY_ROUTER } from "../cluster/routers.ts";

Deno.test("a router image that cannot be one is refused before anything is planned", async () => {
  await assert.rejects(
    readOptions(routerPod, { routerImage: "-x" }),
    (error: unknown) =>
      error instanceof UsageError &&
      /--routerImage "-x" as an image: it is not like/.test(error.details[0]!),
  );
  assert.deepEqual(await readOptions(routerPod, { routerImage: "a/b:1" }), {
    routerImage: "a/b:1",
  });
});

class MeshedKube extends MemoryKube {
  override find({ name, resource }: ObjectRef) {
    const isRouters = resource.kind === "ConfigMap" && name === "web-kt-router";
    return Promise.resolve(
      isRouters ? routerConfigMap(EMPTY_ROUTER, NOW) : undefined,
    );
  }
}

/** Of one more developer, where the router of port 80 is there already. */
async function joining(service: KubeObject, targetPort: number) {
  service.spec.ports = [{ port: 80, targetPort, protocol: "TCP" }];
  const context = {
    kube: new MeshedKube().api,
    target: { service },
    mark: { key: "version", value: "alice" },
    session: "s1",
    shadowLabels: {},
    signal: new AbortController().signal,
  } as unknown as RoutingContext<never>;
  return await (routerPod as RoutingPlugin<never>).plan(context);
}

Deno.test("a router that was made for the Service's ports of before is not joined", async () => {
  await joining(switchedService("router"), 80);
  await assert.rejects(joining(switchedService("router"), 8081), {
    code: "SERVICE_PORTS_CHANGED",
  });
});

Deno.test("a router is joined also in a pause between two repairs of its Service", async () => {
  const ledBack = own("Service", "web", { selector: { app: "web" } }, {
    "kt-selector": '{"app":"web"}',
  });
  await joining(ledBack, 80);
  ledBack.metadata.annotations!["ktctl.dev/held-by"] = "bob";
  await assert.rejects(joining(ledBack, 80), {
    code: "SERVICE_ALREADY_EXCHANGED",
  });
});
