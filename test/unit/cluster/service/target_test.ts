import assert from "node:assert/strict";
import {
  parseResourceName,
  refuseUnsuitable,
} from "../../../../src/cluster/service/target.ts";
import { UnsupportedError, UsageError } from "../../../../src/core/errors.ts";

for (
  const [text, kind] of [
    ["web", "service"],
    ["svc/web", "service"],
    ["service/web", "service"],
    ["services/web", "service"],
    ["SVC/web", "service"],
    ["deploy/web", "deployment"],
    ["deployment/web", "deployment"],
    ["deployments/web", "deployment"],
  ] as const
) {
  Deno.test(`"${text}" names a ${kind}`, () => {
    assert.deepEqual(parseResourceName(text), { kind, name: "web" });
  });
}

for (
  const [text, message] of [
    ["", /Cannot read ""/],
    ["/web", /Cannot read "\/web"/],
    ["svc/", /Cannot read "svc\/"/],
    ["svc/web/80", /Cannot read "svc\/web\/80"/],
    ["pod/web", /"pod" is neither a Service/],
    ["constructor/web", /"constructor" is neither a Service/],
  ] as const
) {
  Deno.test(`"${text}" is refused as a resource name, with what can be named`, () => {
    assert.throws(() => parseResourceName(text), (error: UsageError) => {
      assert.ok(error instanceof UsageError);
      assert.equal(error.code, "TARGET_INVALID");
      assert.match(error.message, message);
      assert.match(error.hint!, /svc\/web.*deploy\/web/);
      return true;
    });
  });
}

for (
  const [claim, spec, code] of [
    [
      "an ExternalName",
      { type: "ExternalName", externalName: "example.org" },
      "SERVICE_EXTERNAL_NAME",
    ],
    [
      "a headless Service",
      { clusterIP: "None", selector: { app: "web" } },
      "SERVICE_HEADLESS",
    ],
    [
      "a Service without selector",
      { clusterIP: "10.0.0.1" },
      "SERVICE_WITHOUT_SELECTOR",
    ],
    [
      "a Service with an empty selector",
      { selector: {} },
      "SERVICE_WITHOUT_SELECTOR",
    ],
  ] as const
) {
  Deno.test(`${claim} is refused, with the way out`, () => {
    const service = { metadata: { name: "web" }, spec };
    assert.throws(
      () => refuseUnsuitable(service),
      (error: UnsupportedError) => {
        assert.ok(error instanceof UnsupportedError);
        assert.equal(error.code, code);
        assert.match(error.message, /"web"/);
        assert.ok(error.hint);
        return true;
      },
    );
  });
}

Deno.test("a Service with a selector is taken, whatever its type", () => {
  for (const type of ["ClusterIP", "NodePort", "LoadBalancer"]) {
    refuseUnsuitable({
      metadata: { name: "web" },
      spec: { type, selector: { app: "web" } },
    });
  }
});
