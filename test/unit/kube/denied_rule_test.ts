// A refusal that does not say which right is missing, as of a port-forward since Kubernetes 1.35.
import assert from "node:assert/strict";
import { PODS } from "../../../src/kube/resources.ts";
import {
  type Answer,
  clientOf,
  FakeApiServer,
  json,
  refusal,
} from "./fake_api_server.ts";

const SILENT = refusal(403, {
  reason: "Forbidden",
  message: 'pods "web" is forbidden: ',
});

/** A server that refuses all, and tells by SelfSubjectAccessReviews which verbs are denied. */
function deny(...verbs: string[]): Answer {
  return (request, response) => {
    if (!request.url.endsWith("/selfsubjectaccessreviews")) {
      return SILENT(request, response);
    }
    const { verb } = JSON.parse(request.body).spec.resourceAttributes;
    json({ status: { allowed: !verbs.includes(verb) } }, { status: 201 })(
      request,
      response,
    );
  };
}

Deno.test("a right that the refusal does not name is found by asking for it", async () => {
  await using server = await FakeApiServer.start([deny("list")]);
  await using api = clientOf(server.url);
  await assert.rejects(api.list(PODS), {
    code: "RBAC_FORBIDDEN",
    message: /is forbidden$/,
    hint:
      /^Missing rule: `apiGroups: \[""\], resources: \["pods"\], verbs: \["list"\]`\. .*ktctl rbac/,
  });
  const { url, body } = server.requests.at(-1)!;
  assert.equal(url, "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews");
  assert.deepEqual(JSON.parse(body).spec, {
    resourceAttributes: {
      verb: "list",
      group: "",
      version: "v1",
      resource: "pods",
      namespace: "shop",
    },
  });
});

Deno.test("of a port-forward the one verb that is missing is named", async () => {
  await using server = await FakeApiServer.start([deny("create")]);
  await using api = clientOf(server.url);
  await assert.rejects(api.portForward({ name: "web", port: 1 }), {
    code: "RBAC_FORBIDDEN",
    hint: /resources: \["pods\/portforward"\], verbs: \["create"\]/,
  });
});

Deno.test("who is denied nothing, or may not ask, is sent to the administrators", async () => {
  for (const answer of [deny(), SILENT]) {
    await using server = await FakeApiServer.start([answer]);
    await using api = clientOf(server.url);
    await assert.rejects(api.get({ resource: PODS, name: "web" }), {
      code: "RBAC_FORBIDDEN",
      hint: /administrators/,
    });
    assert.equal(server.requests.length, 2);
  }
});
