import assert from "node:assert/strict";
import {
  findKeeper,
  keepsField,
} from "../../../../src/cluster/keeper/find_keeper.ts";
import { managersOfField } from "../../../../src/cluster/keeper/field_managers.ts";

interface Marks {
  readonly labels?: Record<string, string>;
  readonly annotations?: Record<string, string>;
  readonly managedFields?: unknown;
}

const object = (marks: Marks) => ({ metadata: { name: "web", ...marks } });
const written = (manager: string, field = "replicas", time = "2026-01-01") => ({
  ...{ manager, time, operation: "Update", apiVersion: "v1" },
  fieldsV1: { "f:spec": { [`f:${field}`]: {} } },
});

for (
  const [marks, title] of [
    [{}, undefined],
    [
      {
        annotations: {
          "argocd.argoproj.io/tracking-id": "shop:/Service:x/web",
        },
      },
      'Argo CD (application "shop")',
    ],
    [
      { labels: { "argocd.argoproj.io/instance": "shop" } },
      'Argo CD (application "shop")',
    ],
    // Helm charts have that label as well
    [{ labels: { "app.kubernetes.io/instance": "shop" } }, undefined],
    [
      {
        labels: { "app.kubernetes.io/instance": "shop" },
        managedFields: [written("argocd-controller")],
      },
      'Argo CD (application "shop")',
    ],
    [
      { labels: { "kustomize.toolkit.fluxcd.io/name": "apps" } },
      'Flux (Kustomization "apps")',
    ],
    // Flux works by Helm
    [
      {
        labels: {
          "helm.toolkit.fluxcd.io/name": "shop",
          "app.kubernetes.io/managed-by": "Helm",
        },
      },
      'Flux (HelmRelease "shop")',
    ],
    [{ managedFields: [written("kustomize-controller")] }, "Flux"],
    [
      { annotations: { "meta.helm.sh/release-name": "shop" } },
      'Helm (release "shop")',
    ],
    [{ labels: { "app.kubernetes.io/managed-by": "Helm" } }, "Helm"],
    [{ managedFields: "nonsense" }, undefined],
    [{ managedFields: [written("kubectl-edit")] }, undefined],
  ] as readonly [Marks, string | undefined][]
) {
  Deno.test(`${JSON.stringify(marks)} says that ${title ?? "nobody"} keeps it`, () => {
    assert.equal(findKeeper(object(marks))?.title, title);
  });
}

Deno.test("what a keeper's manifest leaves out it does not keep, and nothing is known without a record", () => {
  const tracked = { "argocd.argoproj.io/tracking-id": "shop:/x" };
  const keeps = (managedFields: unknown) => {
    const one = object({ annotations: tracked, managedFields });
    return keepsField(one, findKeeper(one)!, ["spec", "replicas"]);
  };
  assert.equal(keeps([written("argocd-controller")]), true);
  assert.equal(keeps([written("argocd-controller", "template")]), false);
  assert.equal(keeps([written("kubectl")]), undefined);
  assert.equal(keeps(undefined), undefined);
});

Deno.test("of those who wrote a field the last one comes first", () => {
  const managedFields = [
    written("ktctl", "selector", "2026-01-01T00:00:00Z"),
    written("argocd-controller", "selector", "2026-01-01T00:00:05Z"),
    written("kubectl", "ports", "2026-01-01T00:00:09Z"),
  ];
  assert.deepEqual(
    managersOfField(object({ managedFields }), ["spec", "selector"]),
    ["argocd-controller", "ktctl"],
  );
});
