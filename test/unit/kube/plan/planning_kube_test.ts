import assert from "node:assert/strict";
import { NotFoundError } from "../../../../src/core/errors.ts";
import type { KubeObject, WatchEvent } from "../../../../src/kube/kube_api.ts";
import { PlanningKube } from "../../../../src/kube/plan/planning_kube.ts";
import {
  CONFIG_MAPS,
  PODS,
  SECRETS,
  SERVICES,
} from "../../../../src/kube/resources.ts";
import {
  type Answer,
  clientOf,
  FakeApiServer,
  json,
  refusal,
} from "../fake_api_server.ts";

const WEB = {
  apiVersion: "v1",
  kind: "Service",
  metadata: { name: "web", namespace: "shop", uid: "u1", resourceVersion: "7" },
  spec: { selector: { app: "web" } },
};
const NONE = refusal(404, {
  message: 'services "x" not found',
  details: { name: "x", kind: "services" },
});

/** Says of each write what was sent, with a uid, and of each review yes; has the Service `web`. */
const answer: Answer = (request, response) => {
  const { method, url, body } = request;
  const sent = body === "" ? {} : JSON.parse(body);
  if (url.includes("selfsubjectaccessreviews")) {
    return json({ status: { allowed: !body.includes('"watch"') } })(
      request,
      response,
    );
  }
  if (method === "POST") {
    const metadata = { uid: crypto.randomUUID(), ...sent.metadata };
    return json({ ...sent, metadata })(request, response);
  }
  if (method === "PATCH") {
    // as the server does it: all operations are on what it has
    const last = Array.isArray(sent) ? sent.at(-1) : undefined;
    const spec = { selector: last?.value ?? {} };
    return json({ ...WEB, spec })(request, response);
  }
  if (method === "DELETE") return json({ kind: "Status" })(request, response);
  const isList = /\/(services|pods)\?/.test(url);
  if (isList) {
    const items = url.includes("services") ? [WEB] : [];
    return json({ items })(request, response);
  }
  return (url.endsWith("/services/web") ? json(WEB) : NONE)(request, response);
};

async function plan() {
  const server = await FakeApiServer.start([answer]);
  const client = clientOf(server.url, { dryRun: true });
  const kube = new PlanningKube(client);
  return {
    server,
    kube,
    async [Symbol.asyncDispose]() {
      await kube[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

const REF = { resource: SERVICES, name: "web" };
const SWITCH = [
  { op: "test", path: "/metadata/resourceVersion", value: "7" },
  { op: "add", path: "/spec/selector", value: { app: "shadow" } },
] as const;

function pod(name: string): KubeObject {
  return {
    metadata: { name, labels: { app: "shadow" } },
    spec: { containers: [{ name: "main" }] },
  };
}

Deno.test("no write of any kind reaches the server as more than a question", async () => {
  await using fake = await plan();
  const { kube, server } = fake;
  const client = clientOf(server.url, { dryRun: true });
  await kube.create(PODS, pod("a"));
  await kube.patch(REF, SWITCH, { type: "json" });
  await kube.patch(REF, { metadata: { labels: { a: "b" } } });
  await kube.replace(REF, WEB);
  await kube.delete(REF, { uid: "u1", gracePeriodSeconds: 0 });
  // whoever has the client itself can do no more
  await client.create(PODS, pod("b"));
  await client.create(PODS, pod("b"), { dryRun: true });
  await client.patch(REF, {}, { type: "apply" });
  await client.delete(REF);
  await client.get(REF);
  const writes = server.requests.filter(({ method }) => method !== "GET");
  assert.ok(writes.length >= 8);
  for (const { method, url, body } of writes) {
    assert.match(url, /[?&]dryRun=All(&|$)/);
    assert.equal(url.match(/dryRun/g)?.length, 1);
    // the server does not read the query of a deletion that has a body
    if (method !== "DELETE") continue;
    const { dryRun, propagationPolicy } = JSON.parse(body);
    assert.deepEqual([dryRun, propagationPolicy], [["All"], "Background"]);
  }
  await client[Symbol.asyncDispose]();
});

Deno.test("what is changed is read from then on, and what ends as it was is no change", async () => {
  await using fake = await plan();
  const { kube } = fake;
  await kube.create(PODS, pod("a"));
  const [made] = await kube.list(PODS, { labelSelector: "app=shadow" });
  assert.equal(made?.metadata.name, "a");
  assert.equal(made?.["status"].phase, "Running");
  assert.deepEqual(await kube.list(PODS, { labelSelector: "app!=shadow" }), []);
  await assert.rejects(kube.create(PODS, pod("a")), { code: "ALREADY_EXISTS" });
  await kube.patch(REF, SWITCH, { type: "json" });
  assert.deepEqual((await kube.get(REF)).spec.selector, { app: "shadow" });
  const names = kube.changes().map((
    { name, before, after },
  ) => [name, before?.spec.selector, after?.spec.selector ?? "made"]);
  assert.deepEqual(names, [
    ["a", undefined, "made"],
    ["web", { app: "web" }, { app: "shadow" }],
  ]);
  const back = [{ ...SWITCH[1], value: { app: "web" } }];
  await kube.patch(REF, back, { type: "json" });
  assert.equal(await kube.delete({ resource: PODS, name: "a" }), true);
  assert.equal(await kube.delete({ resource: PODS, name: "a" }), false);
  assert.deepEqual(kube.changes(), []);
});

Deno.test("later changes of an object are asked for together with the earlier ones", async () => {
  await using fake = await plan();
  const { kube, server } = fake;
  const annotate = { op: "add", path: "/metadata/annotations", value: {} };
  await kube.patch(REF, [annotate], { type: "json" });
  await kube.patch(REF, SWITCH, { type: "json" });
  const { body } = server.requests.at(-1)!;
  assert.deepEqual(JSON.parse(body), [annotate, ...SWITCH]);
});

Deno.test("what goes with its owner, goes with it; a change that was made meanwhile is a conflict", async () => {
  await using fake = await plan();
  const { kube } = fake;
  const { metadata: { uid = "" } } = await kube.create(PODS, pod("a"));
  const owner = { apiVersion: "v1", kind: "Pod", name: "a", uid };
  const ref = { resource: CONFIG_MAPS, name: "of-a" };
  await kube.create(CONFIG_MAPS, {
    metadata: { name: "of-a", ownerReferences: [owner] },
    data: { key: "value" },
  });
  const data = { op: "replace", path: "/data/key", value: "new" } as const;
  await kube.patch(ref, [data], { type: "json" });
  const [, configMap] = kube.changes();
  assert.deepEqual(configMap?.after?.["data"], { key: "new" });
  const stale = { op: "test", path: "/data/key", value: "value" } as const;
  await assert.rejects(kube.patch(ref, [stale, data], { type: "json" }), {
    code: "WRITE_CONFLICT",
  });
  await kube.delete({ resource: PODS, name: "a", namespace: "shop" });
  await assert.rejects(kube.get(ref), NotFoundError);
  assert.deepEqual(kube.changes(), []);
});

Deno.test("a secret is neither sent nor told, and read as it is", async () => {
  await using fake = await plan();
  const { kube, server } = fake;
  const secret = { metadata: { name: "keys" }, stringData: { key: "geheim" } };
  await kube.create(SECRETS, secret);
  const ref = { resource: SECRETS, name: "keys" };
  assert.equal(atob((await kube.get(ref))["data"].key), "geheim");
  const text = JSON.stringify([server.requests, kube.changes()]);
  assert.doesNotMatch(text, /geheim|Z2VoZWlt/);
  assert.match(JSON.stringify(kube.changes()), /"key":"redacted \w{8}"/);
});

Deno.test("a watch tells what there is, and who may not watch is refused", async () => {
  await using fake = await plan();
  const { kube } = fake;
  const { signal } = new AbortController();
  const watch = kube.watch(SERVICES, { signal });
  await assert.rejects(watch.next(), { code: "RBAC_FORBIDDEN" });
});

Deno.test("nobody is spoken to, and a plan ends where it would wait for somebody", async () => {
  const server = await FakeApiServer.start([
    (request, response) =>
      request.url.includes("accessreviews")
        ? json({ status: { allowed: true } })(request, response)
        : answer(request, response),
  ]);
  const kube = new PlanningKube(clientOf(server.url, { dryRun: true }));
  try {
    await kube.create(PODS, pod("a"));
    await assert.rejects(kube.portForward({ name: "a", port: 80 }), {
      code: "NOT_IN_DRY_RUN",
      exitCode: 6,
    });
    const ended = new AbortController();
    const { signal } = ended;
    const events: WatchEvent["type"][] = [];
    const waiting = (async () => {
      for await (const { type } of kube.watch(SERVICES, { signal })) {
        events.push(type);
      }
    })();
    await kube.quietFor(50, signal);
    assert.deepEqual(events, ["ADDED", "SYNCED"]);
    ended.abort();
    await waiting;
  } finally {
    await kube[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  }
});
