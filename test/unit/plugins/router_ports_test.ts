import assert from "node:assert/strict";
import { routerConfig } from "../../../src/cluster/router/router_config.ts";
import {
  readRouter,
  STATE_KEY,
} from "../../../src/cluster/router/router_record.ts";
import { routerConfigMap } from "../../../src/cluster/router/router_objects.ts";
import { planPodPorts } from "../../../src/cluster/shadow/pod_ports.ts";
import { servicePorts } from "../../../src/cluster/service/expose.ts";
import { routerPorts } from "../../../src/plugins/routing/router_ports.ts";
import { MemoryKube } from "../../fakes/memory_kube.ts";
import { NOW } from "../cluster/leftovers.ts";
import { EMPTY_ROUTER } from "../cluster/routers.ts";

interface Port {
  readonly name?: string;
  readonly port: number;
  readonly targetPort?: number | string;
  readonly appProtocol?: string;
}

/** As `mesh` makes it. */
async function routerOf(ports: readonly Port[]) {
  const service = { metadata: { name: "web" }, spec: { ports } };
  const routes = servicePorts(service).map((servicePort) => ({ servicePort }));
  const { signal } = new AbortController();
  const { api } = new MemoryKube();
  const podPorts = await planPodPorts(api, service, { routes, signal });
  return { ...EMPTY_ROUTER, ports: routerPorts(service, podPorts) };
}

/** Those of the Service's ports at which the router waits for the client however long that is silent. */
async function patient(ports: readonly Port[]): Promise<number[]> {
  const router = await routerOf(ports);
  const [, ...sections] = routerConfig(router);
  return router.ports.filter((_, at) =>
    sections[at]!.includes("tcp-request inspect-delay 24h\n")
  ).map(({ servicePort }) => servicePort);
}

Deno.test("a connection that is silent at first is no other protocol where the Service says that its port is HTTP", async () => {
  assert.deepEqual(
    await patient([
      { port: 80, name: "http" },
      { port: 81, name: "http-admin" },
      { port: 82, name: "grpc-web-a" },
      { port: 83, name: "web", appProtocol: "HTTP" },
      { port: 84, name: "rpc", appProtocol: "kubernetes.io/h2c" },
    ]),
    [80, 81, 82, 83, 84],
  );
});

Deno.test("where it does not, or says something else, its server may be one that speaks first", async () => {
  assert.deepEqual(await patient([{ port: 80 }]), []);
  assert.deepEqual(
    await patient([
      { port: 80, name: "httpd" },
      { port: 443, name: "https" },
      { port: 3306, name: "http", appProtocol: "mysql" },
    ]),
    [],
  );
});

Deno.test("of two ports of a Service that lead to one of a pod both have to say so", async () => {
  const both = { targetPort: 8080 };
  const http = [{ port: 80, name: "http", ...both }];
  const other = { port: 81, name: "other", ...both };
  assert.deepEqual(await patient([...http, other]), []);
  assert.deepEqual(
    await patient([...http, { ...other, name: "http-2" }]),
    [80],
  );
});

Deno.test("it stands in the router's record, for whoever makes its pod again", async () => {
  const router = await routerOf([{ port: 80, name: "http" }]);
  const configMap = routerConfigMap(router, NOW);
  assert.match(configMap.data![STATE_KEY]!, /"isHttp":true/);
  assert.deepEqual(readRouter(configMap), { value: router });
});
