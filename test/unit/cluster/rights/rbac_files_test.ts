// The files of docs/rbac are the table in src/cluster/rights. UPDATE_SNAPSHOTS=1 writes them.
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { roleYaml } from "../../../../src/cluster/rights/role_yaml.ts";
import type { RightsRole } from "../../../../src/cluster/rights/rights_role.ts";
import { VERB_ROLES } from "../../../../src/cluster/rights/verb_roles.ts";

const FOLDER = fileURLToPath(
  new URL("../../../../docs/rbac/", import.meta.url),
);
const all: readonly RightsRole[] = Object.values(VERB_ROLES).flat();
const ROLES = new Map(all.map((role) => [role.file, role]));

for (const [file, role] of ROLES) {
  Deno.test(`docs/rbac/${file}.yaml is as the table has it`, async () => {
    const path = `${FOLDER}${file}.yaml`;
    if (Deno.env.get("UPDATE_SNAPSHOTS") === "1") {
      await Deno.writeTextFile(path, roleYaml(role));
    }
    assert.equal(await Deno.readTextFile(path), roleYaml(role));
  });
}

Deno.test("docs/rbac has no Role that is not in the table", () => {
  const files = [...Deno.readDirSync(FOLDER)].map(({ name }) => name)
    .filter((name) => name.endsWith(".yaml"));
  assert.deepEqual(
    files.sort(),
    [...ROLES.keys()].map((one) => `${one}.yaml`).sort(),
  );
});

Deno.test("the comment of a rule says whether it can be left out", () => {
  for (const { file, rules } of ROLES.values()) {
    for (const { comment, optional, onlyFor, notFor, way } of rules) {
      const where = `${file}: ${comment}`;
      assert.equal(/^optional\b/.test(comment), optional === true, where);
      const isConditional = onlyFor !== undefined || notFor !== undefined;
      if (optional) continue;
      const says = /^(only|not) for\b/.test(comment);
      assert.equal(says, isConditional, where);
      if (way !== undefined) assert.equal(optional, undefined, where);
    }
  }
});
