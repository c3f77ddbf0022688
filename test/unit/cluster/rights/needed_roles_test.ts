import assert from "node:assert/strict";
import {
  type Need,
  neededRoles,
  neededRules,
} from "../../../../src/cluster/rights/needed_roles.ts";
import {
  roleManifest,
  roleYaml,
} from "../../../../src/cluster/rights/role_yaml.ts";
import { RIGHTS_VERBS } from "../../../../src/cluster/rights/verb_roles.ts";
import { parse } from "yaml";

/** Each as `patch pods`. */
function rightsOf(need: Need): string[] {
  return neededRules(need, "Role").flatMap(({ resources, verbs }) =>
    resources.flatMap((one) => verbs.map((verb) => `${verb} ${one}`))
  );
}

Deno.test("a command needs what its mode needs, and nothing of another one", () => {
  const need = { verbs: ["exchange"], least: true } as const;
  const plain = rightsOf({ ...need, uses: new Set() });
  const scale = rightsOf({ ...need, uses: new Set(["mode=scale"]) });
  assert.ok(!plain.includes("patch deployments"));
  assert.ok(scale.includes("patch deployments"));
  assert.deepEqual(plain.filter((one) => !scale.includes(one)), []);
});

Deno.test("the least Role has one way of the link, and nothing optional", () => {
  const least = rightsOf({
    verbs: ["preview"],
    uses: new Set(),
    least: true,
  });
  assert.ok(least.includes("get pods/proxy"));
  assert.ok(!least.includes("get pods/portforward"));
  assert.ok(!least.includes("list events"));
});

Deno.test("the Role of several commands grants what each of them needs, and no rule twice", () => {
  const all = neededRules({ verbs: RIGHTS_VERBS, uses: "all" }, "Role");
  const texts = all.map(({ group, resources, names, verbs }) =>
    JSON.stringify({ group, resources, names, verbs })
  );
  assert.equal(new Set(texts).size, texts.length);
  for (const verb of RIGHTS_VERBS) {
    for (const one of neededRules({ verbs: [verb], uses: "all" }, "Role")) {
      for (const resource of one.resources) {
        const granted = all.filter(({ group, resources, names }) =>
          group === one.group && resources.includes(resource) &&
          (names === undefined || `${names}` === `${one.names}`)
        ).flatMap(({ verbs }) => verbs);
        const missing = one.verbs.filter((verb) => !granted.includes(verb));
        assert.deepEqual(missing, [], `${verb}: ${resource}`);
      }
    }
  }
});

Deno.test("a wide rule takes in all narrower ones before it", () => {
  const verbs = ["connect", "exchange"] as const;
  const rules = neededRules({ verbs, uses: new Set() }, "Role");
  const ofServices = rules.filter(({ resources }) =>
    resources.includes("services")
  );
  assert.equal(ofServices.length, 1);
  assert.equal(ofServices[0]?.optional, undefined);
  assert.match(
    ofServices[0]?.comment ?? "",
    /^exchange: .*connect: .*connect: /,
  );
});

Deno.test("what one command needs is not optional because another can do without it", () => {
  const verbs = ["exchange", "clean"] as const;
  const rules = neededRules({ verbs, uses: new Set() }, "Role");
  const ofForward = rules.filter(({ resources }) =>
    resources.includes("pods/portforward")
  );
  assert.deepEqual(ofForward.map(({ way, optional }) => [way, optional]), [
    [undefined, undefined],
  ]);
});

Deno.test("a ClusterRole comes where there is something of the whole cluster, and has no namespace", () => {
  const kinds = (uses: Need["uses"]) =>
    neededRoles({ verbs: ["connect"], uses }).map(({ kind }) => kind);
  assert.deepEqual(kinds(new Set()), ["Role", "ClusterRole"]);
  assert.deepEqual(kinds(new Set(["disableTunDevice"])), ["Role"]);
  const [, cluster] = neededRoles({ verbs: ["connect"], uses: "all" });
  assert.equal(
    roleManifest(cluster!, { namespace: "shop" }).metadata.namespace,
    undefined,
  );
});

for (const namespace of ["shop", "123", "null", "1e3"]) {
  Deno.test(`the YAML is the manifest, in namespace ${namespace}`, () => {
    for (const role of neededRoles({ verbs: RIGHTS_VERBS, uses: "all" })) {
      const yaml = parse(roleYaml(role, { namespace }));
      assert.deepEqual(
        yaml,
        JSON.parse(JSON.stringify(roleManifest(role, { namespace }))),
      );
    }
  });
}
