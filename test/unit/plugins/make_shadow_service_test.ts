import assert from "node:assert/strict";
import { makeShadowService } from "../../../src/plugins/routing/make_shadow_service.ts";
import {
  parseExpose,
  routePorts,
} from "../../../src/cluster/service/expose.ts";
import { planPodPorts } from "../../../src/cluster/shadow/pod_ports.ts";
import type { KubeObject } from "../../../src/kube/kube_api.ts";
import type { PrepareContext } from "../../../src/plugins/plugin.ts";
import { MemoryKube } from "../../fakes/memory_kube.ts";

const { signal } = new AbortController();

/** By each port of the Shadow Service the local port at which its connections arrive. */
async function arrivals(
  service: KubeObject,
  { expose, named }: { expose: string; named: Record<string, number> },
): Promise<Record<number, number | undefined>> {
  const kube = new MemoryKube();
  const container = {
    ports: Object.entries(named).map(([name, containerPort]) => ({
      name,
      containerPort,
    })),
  };
  kube.listed = [{
    metadata: { name: "web-1" },
    spec: { containers: [container] },
  }];
  const planned = (text: string) => {
    const routes = routePorts(service, text === "" ? [] : parseExpose(text));
    return planPodPorts(kube.api, service, { routes, signal });
  };
  let made: KubeObject | undefined;
  await makeShadowService({
    kube: kube.api,
    scope: {
      defer() {},
      run: (_step: unknown, _args: unknown, object: KubeObject) => {
        made = object;
        return Promise.resolve();
      },
    },
    heartbeat: { add() {}, remove() {} },
    session: "abcdefghij",
    shadowLabels: {},
  } as unknown as PrepareContext, {
    name: "web-kt-mesh-x",
    namespace: "test",
    ports: await planned(""), // as the router plans them
  });
  const shadow = await planned(expose);
  const ports: { name: string; port: number; targetPort: number | string }[] =
    made!.spec.ports;
  return Object.fromEntries(
    ports.filter(({ name }) => name !== "kt-status").map((
      { port, targetPort },
    ) => {
      const found = shadow.filter(({ name, port }) =>
        targetPort === (typeof targetPort === "string" ? name : port)
      );
      assert.equal(found.length, 1, `port ${port} leads to ${targetPort}`);
      return [port, found[0]!.local];
    }),
  );
}

Deno.test("each port of the Shadow Service leads to the same port of the Shadow Pod, whichever are exposed", async () => {
  const service: KubeObject = {
    metadata: { name: "web" },
    spec: {
      selector: { app: "web" },
      ports: [
        { port: 80, targetPort: "http" },
        { port: 443, targetPort: "https" },
        { port: 8080 },
        { port: 9090, targetPort: 10_000 },
      ],
    },
  };
  const named = { http: 80, https: 443 };
  const none = { 80: undefined, 443: undefined };
  const others = { 8080: undefined, 9090: undefined };
  assert.deepEqual(await arrivals(service, { expose: "8443:443", named }), {
    ...{ ...none, ...others },
    443: 8443,
  });
  assert.deepEqual(await arrivals(service, { expose: "8088:80", named }), {
    ...{ ...none, ...others },
    80: 8088,
  });
  assert.deepEqual(
    await arrivals(service, { expose: "1:9090,2:443,3:8080,4:80", named }),
    { 80: 4, 443: 2, 8080: 3, 9090: 1 },
  );
});
