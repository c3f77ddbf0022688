import assert from "node:assert/strict";
import {
  Cancelled,
  ClusterError,
  NotFoundError,
  PermissionError,
  UnsupportedError,
  WriteConflictError,
} from "../../../src/core/errors.ts";
import {
  CONFIG_MAPS,
  DEPLOYMENTS,
  NAMESPACES,
  PODS,
} from "../../../src/kube/resources.ts";
import {
  type Answer,
  clientOf,
  type ClientOptions,
  FakeApiServer,
  json,
  refusal,
} from "./fake_api_server.ts";

async function serve(answers: readonly Answer[], options: ClientOptions = {}) {
  const server = await FakeApiServer.start(answers);
  const api = clientOf(server.url, options);
  return {
    server,
    api,
    async [Symbol.asyncDispose]() {
      await api[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

const WEB = { metadata: { name: "web" } };
const NOT_FOUND = refusal(404, {
  message: 'pods "web" not found',
  details: { name: "web", kind: "pods" },
});

Deno.test("no name leads out of the path of its kind and namespace", async () => {
  await using fake = await serve([json(WEB)]);
  const { api, server } = fake;
  const refused = { code: "NAME_INVALID", exitCode: 2 };
  for (const name of [".", "..", "../../x", "%2e%2e"]) {
    const pod = { resource: PODS, name: "web", namespace: name };
    for (
      const call of [
        async () => await api.get({ resource: PODS, name }),
        async () => await api.delete(pod),
        async () => await api.list(PODS, { namespace: name }),
      ]
    ) await assert.rejects(call, refused);
  }
  assert.deepEqual(server.requests, []);
});

Deno.test("calls go to the path of their kind, namespace and name", async () => {
  const one = json(WEB);
  const list = json({ items: [WEB] });
  await using fake = await serve([one, one, one, list, one]);
  const { api, server } = fake;
  await api.get({ resource: PODS, name: "web" });
  await api.get({ resource: DEPLOYMENTS, name: "web", namespace: "other" });
  await api.get({ resource: NAMESPACES, name: "shop" });
  await api.list(PODS, { namespace: "", labelSelector: "a=b,c" });
  await api.create(DEPLOYMENTS, WEB);
  await api.create(PODS, WEB, { dryRun: true });
  await api.replace({ resource: PODS, name: "web" }, WEB);
  await api.raw("/apis");
  assert.deepEqual(
    server.requests.map(({ method, url }) => `${method} ${url}`),
    [
      "GET /api/v1/namespaces/shop/pods/web",
      "GET /apis/apps/v1/namespaces/other/deployments/web",
      "GET /api/v1/namespaces/shop",
      "GET /api/v1/pods?labelSelector=a%3Db%2Cc&limit=500",
      "POST /apis/apps/v1/namespaces/shop/deployments",
      "POST /api/v1/namespaces/shop/pods?dryRun=All",
      "PUT /api/v1/namespaces/shop/pods/web",
      "GET /apis",
    ],
  );
  assert.equal(server.requests[0]!.headers["user-agent"], "ktctl/test");
  assert.equal(server.connections, 1);
  assert.deepEqual(api.peers(), ["127.0.0.1"]);
  assert.deepEqual(api.hosts(), ["127.0.0.1"]);
});

Deno.test("who wants some of many objects asks for one page of them", async () => {
  const page = json({ items: [WEB, WEB], metadata: { continue: "more" } });
  await using fake = await serve([page]);
  const some = await fake.api.list(PODS, { most: 2 });
  assert.equal(some.length, 2);
  assert.deepEqual(
    fake.server.requests.map(({ url }) => url),
    ["/api/v1/namespaces/shop/pods?limit=2"],
  );
});

Deno.test("objects keep fields that no model knows, both ways", async () => {
  await using fake = await serve([
    json({ ...WEB, spec: { brandNew: [{ x: null }] } }),
  ]);
  const sent = { metadata: { name: "web" }, spec: { alsoNew: 1 } };
  const got = await fake.api.create(PODS, sent);
  assert.deepEqual(got.spec, { brandNew: [{ x: null }] });
  assert.deepEqual(JSON.parse(fake.server.requests[0]!.body), {
    apiVersion: "v1",
    kind: "Pod",
    ...sent,
  });
});

Deno.test("patch sends each type as its media type", async () => {
  await using fake = await serve([json(WEB)]);
  const ref = { resource: PODS, name: "web" };
  await fake.api.patch(ref, {});
  await fake.api.patch(ref, [], { type: "json" });
  await fake.api.patch(ref, {}, { type: "strategic", subresource: "status" });
  await fake.api.patch(ref, {}, { type: "apply" });
  assert.deepEqual(
    fake.server.requests.map((
      { url, headers },
    ) => [url.split("/").slice(6).join("/"), headers["content-type"]]),
    [
      ["web", "application/merge-patch+json"],
      ["web", "application/json-patch+json"],
      ["web/status", "application/strategic-merge-patch+json"],
      ["web?fieldManager=ktctl&force=true", "application/apply-patch+yaml"],
    ],
  );
});

Deno.test("a JSON patch whose test fails is a concurrent change; another 422 is not", async () => {
  await using fake = await serve([refusal(422, {
    message: "the server rejected our request due to an error in our request",
    reason: "Invalid",
    details: {},
  })]);
  const ref = { resource: PODS, name: "web" };
  const tested = [{ op: "test", path: "/x", value: 1 }];
  await assert.rejects(
    fake.api.patch(ref, tested, { type: "json" }),
    WriteConflictError,
  );
  await assert.rejects(
    fake.api.patch(ref, [{ op: "remove", path: "/x" }], { type: "json" }),
    (error: unknown) =>
      error instanceof ClusterError && error.code === "INVALID_OBJECT",
  );
});

Deno.test("find() turns a missing object, and nothing else, into undefined", async () => {
  await using fake = await serve([
    NOT_FOUND,
    NOT_FOUND,
    refusal(403, { message: "no" }),
    refusal(404, { message: "no such API", details: {} }),
  ]);
  const ref = { resource: PODS, name: "web" };
  assert.equal(await fake.api.find(ref), undefined);
  await assert.rejects(fake.api.get(ref), NotFoundError);
  await assert.rejects(fake.api.find(ref), PermissionError);
  await assert.rejects(fake.api.find(ref), UnsupportedError);
});

Deno.test("delete() says whether the object was there, and takes another uid, or version, for another object", async () => {
  await using fake = await serve([
    json({ kind: "Status", status: "Success" }),
    NOT_FOUND,
    refusal(409, {
      message: "the UID in the precondition (a) does not match",
      reason: "Conflict",
    }),
  ]);
  const ref = { resource: PODS, name: "web" };
  assert.equal(
    await fake.api.delete(ref, { uid: "a", gracePeriodSeconds: 0 }),
    true,
  );
  assert.equal(await fake.api.delete(ref), false);
  const exactly = { uid: "a", resourceVersion: "7" };
  assert.equal(await fake.api.delete(ref, exactly), false);
  assert.deepEqual(JSON.parse(fake.server.requests[0]!.body), {
    apiVersion: "v1",
    kind: "DeleteOptions",
    propagationPolicy: "Background",
    gracePeriodSeconds: 0,
    preconditions: { uid: "a" },
  });
  const { preconditions } = JSON.parse(fake.server.requests[2]!.body);
  assert.deepEqual(preconditions, exactly);
});

Deno.test("list() gathers all pages and names each item's kind", async () => {
  await using fake = await serve([
    json({
      metadata: { continue: "token+1" },
      items: [{ metadata: { name: "a" } }],
    }),
    json({ metadata: {}, items: [{ metadata: { name: "b" } }] }),
  ]);
  const items = await fake.api.list(CONFIG_MAPS);
  assert.deepEqual(items.map(({ kind, metadata }) => [kind, metadata.name]), [
    ["ConfigMap", "a"],
    ["ConfigMap", "b"],
  ]);
  assert.match(fake.server.requests[1]!.url, /continue=token%2B1/);
});

Deno.test("list() of metadata alone asks for no more, and names each item's kind", async () => {
  const item = {
    apiVersion: "meta.k8s.io/v1",
    kind: "PartialObjectMetadata",
    metadata: { name: "a" },
  };
  await using fake = await serve([json({ metadata: {}, items: [item] })]);
  const [found] = await fake.api.list(CONFIG_MAPS, { metadataOnly: true });
  assert.deepEqual(found, {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "a" },
  });
  assert.equal(
    fake.server.requests[0]!.headers.accept,
    "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io",
  );
});

Deno.test("list() starts over in one piece when its pages have expired", async () => {
  await using fake = await serve([
    json({ metadata: { continue: "x" }, items: [{ metadata: { name: "a" } }] }),
    refusal(410, { reason: "Expired", message: "continue token too old" }),
    json({ metadata: {}, items: [{ metadata: { name: "b" } }] }),
  ]);
  const items = await fake.api.list(CONFIG_MAPS);
  assert.deepEqual(items.map(({ metadata }) => metadata.name), ["b"]);
  assert.doesNotMatch(fake.server.requests[2]!.url, /limit|continue/);
});

Deno.test("version() reads the numbers of managed clusters too", async () => {
  await using fake = await serve([
    json({ major: "1", minor: "20+", gitVersion: "v1.20.2-gke" }),
  ]);
  assert.deepEqual(await fake.api.version(), {
    major: 1,
    minor: 20,
    gitVersion: "v1.20.2-gke",
  });
});

Deno.test("now() follows the Date header of the newest answer", async () => {
  const ahead = new Date(Date.now() + 3600_000).toUTCString();
  await using fake = await serve([json(WEB, { headers: { Date: ahead } })]);
  const before = fake.api.now() - Date.now() / 1000;
  await fake.api.get({ resource: PODS, name: "web" });
  const after = fake.api.now() - Date.now() / 1000;
  assert(Math.abs(before) <= 1, `${before}`);
  assert(Math.abs(after - 3600) <= 2, `${after}`);
});

Deno.test("a call ends with the reason its signal was aborted with", async () => {
  const asked = Promise.withResolvers<void>();
  await using fake = await serve([() => asked.resolve()]);
  const abort = new AbortController();
  const reason = new Cancelled("Ctrl-C");
  const call = fake.api.raw("/slow", { signal: abort.signal });
  await asked.promise;
  abort.abort(reason);
  await assert.rejects(call, (error) => error === reason);
  await assert.rejects(
    fake.api.raw("/", { signal: abort.signal }),
    (error) => error === reason,
  );
  assert.equal(fake.server.requests.length, 1);
});

Deno.test("a call that takes too long says how long it waited", async () => {
  await using fake = await serve([() => {}]);
  await assert.rejects(fake.api.raw("/slow", { timeoutMs: 20 }), {
    code: "CLUSTER_UNREACHABLE",
    message: /did not answer within 0.02 seconds/,
  });
});

Deno.test("the deadline covers an answer that stops half way", async () => {
  await using fake = await serve([(_request, response) => {
    response.writeHead(200);
    response.write('{"kind":');
  }]);
  await assert.rejects(fake.api.raw("/half", { timeoutMs: 50 }), {
    code: "CLUSTER_UNREACHABLE",
  });
});

Deno.test("an answer that is not JSON is told apart from a refusal", async () => {
  await using fake = await serve([
    (_request, response) => response.end("<html>login</html>"),
  ]);
  await assert.rejects(fake.api.raw("/x"), {
    code: "API_ERROR",
    message: /is not JSON/,
  });
});

Deno.test("a throttled call is sent again, but not for ever", async () => {
  const busy = json({}, { status: 429, headers: { "Retry-After": "0" } });
  await using patient = await serve([busy, busy, json(WEB)]);
  assert.deepEqual(await patient.api.raw("/x"), WEB);
  await using endless = await serve([busy]);
  await assert.rejects(endless.api.raw("/x"), { code: "API_ERROR" });
  assert.equal(endless.server.requests.length, 5);
});

Deno.test("an answer that says when to come again is obeyed, another failure of the server is told at once", async () => {
  const later = json({}, { status: 503, headers: { "Retry-After": "0" } });
  await using starting = await serve([later, json(WEB)]);
  assert.deepEqual(await starting.api.raw("/x"), WEB);
  await using broken = await serve([json({}, { status: 503 })]);
  await assert.rejects(broken.api.raw("/x"), { code: "API_ERROR" });
  assert.equal(broken.server.requests.length, 1);
});

/** Answers once, then cuts the same connection at its next request. */
function cutSecondRequest(): Answer[] {
  return [
    json(WEB),
    (_request, response) => response.socket?.resetAndDestroy(),
    json({ metadata: { name: "second" } }),
  ];
}

Deno.test("a read is sent again when its kept connection was dead", async () => {
  await using fake = await serve(cutSecondRequest());
  await fake.api.raw("/1");
  assert.deepEqual(await fake.api.raw("/2"), { metadata: { name: "second" } });
});

Deno.test("a write is not sent again: it may have been carried out", async () => {
  await using fake = await serve(cutSecondRequest());
  await fake.api.raw("/1");
  await assert.rejects(fake.api.create(PODS, WEB), {
    code: "CLUSTER_UNREACHABLE",
    message: /connection was cut/,
  });
  assert.equal(fake.server.requests.length, 2);
});

Deno.test("a write that a failing server asks for again is not sent again either", async () => {
  const later = json({}, { status: 504, headers: { "Retry-After": "0" } });
  await using fake = await serve([later, json(WEB)]);
  await assert.rejects(fake.api.create(PODS, WEB), { code: "API_ERROR" });
  assert.equal(fake.server.requests.length, 1);
});

Deno.test("a server that is not there is named, with what happened", async () => {
  const server = await FakeApiServer.start([]);
  const { url } = server;
  await server[Symbol.asyncDispose]();
  await using api = clientOf(url);
  await assert.rejects(api.raw("/x"), {
    code: "CLUSTER_UNREACHABLE",
    message: `Cannot reach the API server "${url}": the connection was refused`,
  });
  await using nameless = clientOf("http://no-such-host.invalid");
  await assert.rejects(nameless.raw("/x"), {
    message: /its name does not resolve/,
  });
});
