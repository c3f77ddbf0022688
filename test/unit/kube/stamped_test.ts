import assert from "node:assert/strict";
import {
  CONFIG_MAPS,
  DEPLOYMENTS,
  SERVICES,
} from "../../../src/kube/resources.ts";
import { clientOf, FakeApiServer, json } from "./fake_api_server.ts";

const STAMP = { labels: { team: "blue" }, annotations: { note: "mine" } };

Deno.test("the user's labels and annotations reach whatever is made, and the pods of a template", async () => {
  await using server = await FakeApiServer.start([json({})]);
  await using api = clientOf(server.url, { stamp: STAMP });
  await api.create(SERVICES, { metadata: { name: "web" } });
  await api.create(CONFIG_MAPS, {
    metadata: {
      name: "web",
      labels: { team: "kt" },
      annotations: { "kt-user": "a" },
    },
  });
  await api.create(DEPLOYMENTS, {
    metadata: { name: "web" },
    spec: { replicas: 1, template: { metadata: { labels: { app: "web" } } } },
  });
  const [service, configMap, deployment] = server.requests.map(({ body }) =>
    JSON.parse(body)
  );
  assert.deepEqual(service.metadata, { name: "web", ...STAMP });
  assert.deepEqual(configMap.metadata.labels, { team: "kt" });
  assert.deepEqual(configMap.metadata.annotations, {
    note: "mine",
    "kt-user": "a",
  });
  assert.deepEqual(deployment.metadata, { name: "web", ...STAMP });
  assert.deepEqual(deployment.spec, {
    replicas: 1,
    template: {
      metadata: {
        labels: { team: "blue", app: "web" },
        annotations: { note: "mine" },
      },
    },
  });
});

Deno.test("what is there already gets nothing of the user's labels", async () => {
  await using server = await FakeApiServer.start([json({})]);
  await using api = clientOf(server.url, { stamp: STAMP });
  const ref = { resource: SERVICES, name: "web" };
  await api.patch(ref, { metadata: { labels: { a: "b" } } });
  await api.replace(ref, { metadata: { name: "web" } });
  for (const { body } of server.requests) {
    assert.doesNotMatch(body, /blue|mine/);
  }
});
