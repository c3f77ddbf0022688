import assert from "node:assert/strict";
import * as v from "valibot";
import config from "../../deno.json" with { type: "json" };
import { billOfMaterials, type Lock } from "../../scripts/bill_of_materials.ts";

const lock: Lock = JSON.parse(
  Deno.readTextFileSync(new URL("../../deno.lock", import.meta.url)),
);
const bill = billOfMaterials(config, lock);

const PURL = v.pipe(
  v.string(),
  v.regex(/^pkg:(generic|npm)\/(%40[a-z0-9.-]+\/)?[a-z0-9._-]+@\d[\w.+-]*$/i),
);
const NAMED = {
  "bom-ref": v.pipe(v.string(), v.nonEmpty()),
  name: v.pipe(v.string(), v.nonEmpty()),
  version: v.pipe(v.string(), v.regex(/^\d+\.\d+\.\d+/)),
  purl: PURL,
};
/** What CycloneDX 1.6 requires, of the fields that are in use; it forbids any other. */
const CYCLONE_DX = v.strictObject({
  $schema: v.literal("http://cyclonedx.org/schema/bom-1.6.schema.json"),
  bomFormat: v.literal("CycloneDX"),
  specVersion: v.literal("1.6"),
  version: v.pipe(v.number(), v.integer(), v.minValue(1)),
  metadata: v.strictObject({
    component: v.strictObject({
      type: v.literal("application"),
      licenses: v.tuple([
        v.strictObject({ license: v.strictObject({ id: v.literal("MIT") }) }),
      ]),
      ...NAMED,
    }),
  }),
  components: v.array(v.strictObject({
    type: v.literal("library"),
    scope: v.picklist(["required", "excluded"]),
    hashes: v.tuple([v.strictObject({
      alg: v.literal("SHA-512"),
      content: v.pipe(v.string(), v.regex(/^[a-f0-9]{128}$/)),
    })]),
    ...NAMED,
  })),
  dependencies: v.array(v.strictObject({
    ref: PURL,
    dependsOn: v.pipe(
      v.array(PURL),
      v.check((refs) => new Set(refs).size === refs.length, "named twice"),
    ),
  })),
});

Deno.test("the bill of materials is CycloneDX 1.6, each reference leads somewhere, once", () => {
  v.parse(CYCLONE_DX, JSON.parse(JSON.stringify(bill)));
  const refs = [bill.metadata.component, ...bill.components]
    .map((component) => component["bom-ref"]);
  assert.deepEqual(refs, [...new Set(refs)]);
  assert.deepEqual(bill.dependencies.map(({ ref }) => ref), refs);
  for (const { ref, dependsOn } of bill.dependencies) {
    for (const other of dependsOn) assert.ok(refs.includes(other), ref);
  }
});

Deno.test("the bill of materials has what is locked and what runs, and tells tests and types apart", () => {
  assert.equal(bill.components.length, Object.keys(lock.npm).length);
  const scopes = (name: string) =>
    bill.components.filter((one) => one.name === name).map((one) => one.scope);
  assert.deepEqual(scopes("ssh2"), ["required"]);
  assert.deepEqual(scopes("asn1"), ["required"], "ssh2 needs it");
  assert.deepEqual(scopes("fast-check"), ["excluded"]);
  assert.deepEqual(scopes("pure-rand"), ["excluded"], "fast-check needs it");
  assert.deepEqual(scopes("@types/ws"), ["excluded"]);
  const { dependsOn } = bill.dependencies.find(({ ref }) =>
    ref.startsWith("pkg:npm/ssh2@")
  )!;
  assert.ok(dependsOn.some((ref) => ref.startsWith("pkg:npm/asn1@")));
});
