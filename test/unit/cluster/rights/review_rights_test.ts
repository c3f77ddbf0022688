// Which rights are missing, by what a server says of them.
import assert from "node:assert/strict";
import { RIGHTS_CHECK } from "../../../../src/cluster/doctor/rights_check.ts";
import { missingRules } from "../../../../src/cluster/rights/missing_rules.ts";
import { reviewRights } from "../../../../src/cluster/rights/review_rights.ts";
import type { RightRule } from "../../../../src/cluster/rights/right_rule.ts";
import { LINK } from "../../../../src/cluster/rights/shared_rules.ts";
import {
  type Answer,
  clientOf,
  FakeApiServer,
  json,
} from "../../kube/fake_api_server.ts";

const { signal } = new AbortController();
const PODS: RightRule = {
  group: "",
  resources: ["pods"],
  verbs: ["get", "patch"],
  comment: "",
};

/** Answers both kinds of review. */
function rights(
  resourceRules: unknown[],
  { incomplete = false, allowed = [] as string[] } = {},
): Answer {
  return (request, response) => {
    const { spec, metadata } = JSON.parse(request.body);
    assert.deepEqual(metadata, {}, "the server refuses metadata");
    const status = request.url.endsWith("/selfsubjectrulesreviews")
      ? { resourceRules, nonResourceRules: [], incomplete }
      : {
        allowed: allowed.includes(
          `${spec.resourceAttributes.verb} ${spec.resourceAttributes.resource}`,
        ),
      };
    json({ status }, { status: 201 })(request, response);
  };
}

async function review(answer: Answer, rules: RightRule[], everywhere = false) {
  await using server = await FakeApiServer.start([answer]);
  await using api = clientOf(server.url);
  const reviewed = await reviewRights(api, rules, { signal, everywhere });
  return { reviewed, asked: server.requests.map(({ url }) => url) };
}

Deno.test("one request tells of all rights where the list is complete", async () => {
  const { reviewed, asked } = await review(
    rights([{ verbs: ["get"], apiGroups: [""], resources: ["pods"] }]),
    [PODS],
  );
  assert.deepEqual(reviewed.map(({ missing }) => missing), [["patch"]]);
  assert.deepEqual(asked, [
    "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews",
  ]);
});

Deno.test("what an incomplete list does not have is asked for one by one", async () => {
  const { reviewed, asked } = await review(
    rights([{ verbs: ["get"], apiGroups: ["*"], resources: ["*"] }], {
      incomplete: true,
      allowed: ["patch pods"],
    }),
    [PODS],
  );
  assert.deepEqual(reviewed.map(({ missing }) => missing), [[]]);
  assert.equal(asked.length, 2);
});

Deno.test("each right is asked for once, however many rules need it, and not more than eight at once", async () => {
  let atOnce = 0;
  let most = 0;
  const bodies: string[] = [];
  const slow: Answer = (request, response) => {
    const isList = request.url.endsWith("/selfsubjectrulesreviews");
    if (isList) return rights([], { incomplete: true })(request, response);
    bodies.push(request.body);
    most = Math.max(most, ++atOnce);
    setTimeout(() => {
      atOnce--;
      json({ status: { allowed: true } }, { status: 201 })(request, response);
    }, 50);
  };
  const resources = Array.from({ length: 10 }, (_, at) => `kinds${at}`);
  const rule: RightRule = { ...PODS, resources, verbs: ["get", "list"] };
  const named: RightRule = { ...PODS, names: ["a", "b"], verbs: ["get"] };
  const { reviewed } = await review(slow, [rule, { ...rule }, named, named]);
  assert.ok(reviewed.every(({ missing }) => missing.length === 0));
  assert.equal(bodies.length, 22);
  assert.equal(new Set(bodies).size, 22);
  assert.equal(most, 8);
});

Deno.test("what doctor says of rights takes one list and each question once", async () => {
  const bodies: string[] = [];
  const answer: Answer = (request, response) => {
    bodies.push(request.body);
    const granted = [{ verbs: ["get"], apiGroups: ["*"], resources: ["*"] }];
    rights(granted, { incomplete: true })(request, response);
  };
  await using server = await FakeApiServer.start([answer]);
  await using kube = clientOf(server.url);
  const findings = await RIGHTS_CHECK.look({ kube } as never, signal);
  assert.equal([findings].flat()[0]?.state, "bad");
  assert.equal(new Set(bodies).size, bodies.length);
  assert.ok(bodies.length > 10 && bodies.length < 60, `${bodies.length}`);
});

Deno.test("rights in the whole cluster are asked for one by one: those of a namespace are no proof", async () => {
  const { reviewed } = await review(
    rights([{ verbs: ["*"], apiGroups: ["*"], resources: ["*"] }]),
    [PODS],
    true,
  );
  assert.deepEqual(reviewed[0]?.missing, ["get", "patch"]);
});

Deno.test("a right to objects of some names is told as such", async () => {
  const { reviewed } = await review(
    rights([{
      verbs: ["get", "patch"],
      apiGroups: [""],
      resources: ["pods"],
      resourceNames: ["web"],
    }]),
    [PODS, { ...PODS, names: ["web"] }, { ...PODS, names: ["other"] }],
  );
  assert.deepEqual(
    reviewed.map(({ missing, names }) => ({ missing, names })),
    [
      { missing: [], names: ["web"] },
      { missing: [], names: undefined },
      { missing: ["get", "patch"], names: ["web"] },
    ],
  );
});

Deno.test("a subresource is no part of its resource", async () => {
  const { reviewed } = await review(
    rights([
      { verbs: ["*"], apiGroups: [""], resources: ["pods"] },
      { verbs: ["get"], apiGroups: [""], resources: ["*/portforward"] },
    ]),
    [...LINK],
  );
  assert.deepEqual(reviewed.map(({ missing }) => missing), [["get"], [
    "create",
  ]]);
  assert.equal(missingRules(reviewed).length, 2);
});

Deno.test("of two ways, the one that is there is enough", async () => {
  const { reviewed } = await review(
    rights([{ verbs: ["get"], apiGroups: [""], resources: ["pods/proxy"] }]),
    [...LINK],
  );
  assert.deepEqual(missingRules(reviewed), []);
});

Deno.test("an answer that is none is an error, not a missing right", async () => {
  await assert.rejects(
    review(json({ status: { resourceRules: "all" } }), [PODS]),
    { code: "API_ERROR", message: /our rights/ },
  );
});
