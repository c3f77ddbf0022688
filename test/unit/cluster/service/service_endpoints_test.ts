// Which API tells what stands behind a Service, by what a server serves and allows.
import assert from "node:assert/strict";
import { awaitArrival } from "../../../../src/cluster/service/await_endpoints.ts";
import {
  readyEndpoints,
  serviceOf,
  watchEndpoints,
} from "../../../../src/cluster/service/service_endpoints.ts";
import {
  type Answer,
  clientOf,
  FakeApiServer,
  refusal,
} from "../../kube/fake_api_server.ts";

const PATHS = {
  v1: "/apis/discovery.k8s.io/v1/namespaces/shop/endpointslices",
  v1beta1: "/apis/discovery.k8s.io/v1beta1/namespaces/shop/endpointslices",
  endpoints: "/api/v1/namespaces/shop/endpoints",
};

const FORBIDDEN = refusal(403, {
  reason: "Forbidden",
  message:
    'endpointslices.discovery.k8s.io is forbidden: User "u" cannot list resource "endpointslices" in API group "discovery.k8s.io" in the namespace "shop"',
});
const UNKNOWN: Answer = (_request, response) =>
  response.writeHead(404).end("404 page not found\n");

const SLICE = {
  metadata: { name: "web-1", labels: { "kubernetes.io/service-name": "web" } },
  endpoints: [{
    addresses: ["10.0.0.1"],
    targetRef: { kind: "Pod", name: "shadow", uid: "u" },
  }],
  ports: [{ port: 8080 }],
};
const ENDPOINTS = {
  metadata: { name: "web" },
  subsets: [{
    addresses: [{
      ip: "10.0.0.1",
      targetRef: { kind: "Pod", name: "shadow", uid: "u" },
    }],
    ports: [{ port: 8080 }],
  }],
};

/** A list that is there; its watch stays open. */
function has(...items: object[]): Answer {
  return ({ url }, response) => {
    response.writeHead(200, { "Content-Type": "application/json" });
    if (url.includes("watch=1")) response.flushHeaders();
    else {
      const metadata = { resourceVersion: "1" };
      response.end(JSON.stringify({ metadata, items }));
    }
  };
}

/** A server with an answer for each path. */
async function serve(answers: Partial<Record<keyof typeof PATHS, Answer>>) {
  const server = await FakeApiServer.start([(request, response) => {
    const path = request.url.split("?")[0];
    const name = (Object.keys(PATHS) as (keyof typeof PATHS)[])
      .find((name) => PATHS[name] === path);
    const answer = name === undefined ? undefined : answers[name];
    (answer ?? UNKNOWN)(request, response);
  }]);
  const api = clientOf(server.url);
  return {
    api,
    asked: () => server.requests.map(({ url }) => url.split("?")[0]),
    queries: () => server.requests.map(({ url }) => url.split("?")[1] ?? ""),
    async [Symbol.asyncDispose]() {
      await api[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

for (
  const { title, answers, asked } of [
    {
      title: "slices of v1 where there are any",
      answers: { v1: has(SLICE), endpoints: has() },
      asked: [PATHS.v1],
    },
    {
      title: "slices of v1beta1 on Kubernetes 1.20",
      answers: { v1beta1: has(SLICE), endpoints: has() },
      asked: [PATHS.v1, PATHS.v1beta1],
    },
    {
      title: "Endpoints where slices are forbidden",
      answers: { v1: FORBIDDEN, v1beta1: FORBIDDEN, endpoints: has(ENDPOINTS) },
      asked: [PATHS.v1, PATHS.endpoints],
    },
    {
      title: "Endpoints where there are no slices",
      answers: { endpoints: has(ENDPOINTS) },
      asked: [PATHS.v1, PATHS.v1beta1, PATHS.endpoints],
    },
  ]
) {
  Deno.test(`what stands behind a Service is told by ${title}`, async () => {
    await using server = await serve(answers);
    const ended = new AbortController();
    const events = watchEndpoints(server.api, {
      service: "web",
      signal: ended.signal,
    });
    const { value } = await events.next();
    assert.equal(value.type, "ADDED");
    assert.equal(serviceOf(value.object), "web");
    assert.deepEqual(readyEndpoints(value.object), [{
      addresses: ["10.0.0.1"],
      pod: { name: "shadow", uid: "u" },
      ports: [{ name: "", port: 8080 }],
    }]);
    assert.deepEqual(server.asked(), asked);
    const selector = asked.at(-1) === PATHS.endpoints
      ? /fieldSelector=metadata.name%3Dweb/
      : /labelSelector=kubernetes.io%2Fservice-name%3Dweb/;
    assert.match(server.queries().at(-1)!, selector);
    ended.abort();
    await events.return(undefined);
  });
}

Deno.test("where nothing may be read the right to read slices is the one that is missed", async () => {
  await using server = await serve({ v1: FORBIDDEN, endpoints: FORBIDDEN });
  const { signal } = new AbortController();
  await assert.rejects(
    watchEndpoints(server.api, { service: "web", signal }).next(),
    { code: "RBAC_FORBIDDEN", hint: /endpointslices/ },
  );
  // which is no reason to fail, nor to wait, where it only spares a guess
  const of = { service: "web", namespace: "shop", podName: "shadow" };
  await awaitArrival(server.api, of, signal);
});

Deno.test("a pod has arrived when it is alone in the slices of both families", async () => {
  const old = structuredClone(SLICE);
  old.metadata.name = "web-6";
  old.endpoints[0]!.targetRef.name = "old";
  let isBoth = false;
  const slices: Answer = (request, response) => {
    if (!request.url.includes("watch=1")) {
      return has(SLICE, old)(request, response);
    }
    response.writeHead(200, { "Content-Type": "application/json" });
    response.flushHeaders();
    setTimeout(() => {
      isBoth = true;
      const object = structuredClone(old);
      object.endpoints[0]!.targetRef.name = "shadow";
      response.write(`${JSON.stringify({ type: "MODIFIED", object })}\n`);
    }, 100);
  };
  await using server = await serve({ v1: slices });
  const of = { service: "web", namespace: "shop", podName: "shadow" };
  await awaitArrival(server.api, of, new AbortController().signal);
  assert.ok(isBoth);
});
