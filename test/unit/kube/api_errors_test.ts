import assert from "node:assert/strict";
import {
  ClusterError,
  ConflictError,
  NotFoundError,
  PermissionError,
  UnsupportedError,
  WriteConflictError,
} from "../../../src/core/errors.ts";
import { apiError, missingRule } from "../../../src/kube/api_errors.ts";
import { PODS } from "../../../src/kube/resources.ts";

const SUBJECT = {
  action: "create",
  resource: PODS,
  name: "web",
  namespace: "shop",
};

function errorOf(code: number, status: Record<string, unknown> | string) {
  const body = typeof status === "string"
    ? status
    : JSON.stringify({ kind: "Status", code, ...status });
  return apiError({ code, body }, SUBJECT);
}

/** The API server's own words, as they were seen on 1.20 and newer. */
const CASES: [
  claim: string,
  answer: [number, Record<string, unknown> | string],
  // deno-lint-ignore no-explicit-any -- abstract constructors of unlike classes
  expected: [new (...args: any[]) => Error, string],
  hint?: RegExp,
][] = [
  ["credentials not accepted", [401, { message: "Unauthorized" }], [
    PermissionError,
    "UNAUTHORISED",
  ]],
  [
    "a missing RBAC rule",
    [403, {
      message:
        'pods is forbidden: User "jane" cannot create resource "pods" in API group "" in the namespace "shop"',
    }],
    [PermissionError, "RBAC_FORBIDDEN"],
    /apiGroups: \[""\], resources: \["pods"\], verbs: \["create"\]/,
  ],
  [
    "an exceeded quota",
    [403, {
      message:
        'pods "web" is forbidden: exceeded quota: small, requested: pods=1, used: pods=2, limited: pods=2',
    }],
    [ClusterError, "QUOTA_EXCEEDED"],
    /--podQuota/,
  ],
  [
    "a quota that wants limits",
    [403, {
      message:
        'pods "web" is forbidden: failed quota: small: must specify limits.cpu,limits.memory',
    }],
    [ClusterError, "QUOTA_EXCEEDED"],
    /requests and limits with --podQuota/,
  ],
  [
    "a LimitRange",
    [403, {
      message:
        'pods "web" is forbidden: maximum cpu usage per Container is 1, but limit is 2',
    }],
    [ClusterError, "QUOTA_EXCEEDED"],
    /LimitRange/,
  ],
  [
    "a service account that is not there",
    [403, {
      message:
        'pods "web" is forbidden: error looking up service account shop/robot: serviceaccount "robot" not found',
    }],
    [NotFoundError, "SERVICE_ACCOUNT_NOT_FOUND"],
    /--serviceAccount, .*kubectl create serviceaccount robot -n shop/,
  ],
  [
    "Pod Security",
    [403, {
      message:
        'pods "web" is forbidden: violates PodSecurity "restricted:latest": runAsNonRoot != true',
    }],
    [ClusterError, "ADMISSION_DENIED"],
    /policy/,
  ],
  ["an admission webhook (403)", [403, {
    message:
      'admission webhook "policy.acme.io" denied the request: no latest tag',
  }], [ClusterError, "ADMISSION_DENIED"]],
  ["an admission webhook (400)", [400, {
    message:
      'admission webhook "policy.acme.io" denied the request: no latest tag',
  }], [ClusterError, "ADMISSION_DENIED"]],
  ["a namespace being deleted", [403, {
    message:
      'pods "web" is forbidden: unable to create new content in namespace shop because it is being terminated',
  }], [ClusterError, "NAMESPACE_TERMINATING"]],
  ["an object that is not there", [404, {
    message: 'pods "web" not found',
    reason: "NotFound",
    details: { name: "web", kind: "pods" },
  }], [NotFoundError, "NOT_FOUND"]],
  ["a namespace that is not there", [404, {
    message: 'namespaces "shop" not found',
    reason: "NotFound",
    details: { name: "shop", kind: "namespaces" },
  }], [NotFoundError, "NAMESPACE_NOT_FOUND"]],
  ["a group that is not served", [404, "404 page not found\n"], [
    UnsupportedError,
    "API_NOT_SERVED",
  ]],
  ["a kind that is not served", [404, {
    message: "the server could not find the requested resource",
    reason: "NotFound",
    details: {},
  }], [UnsupportedError, "API_NOT_SERVED"]],
  ["an object that exists", [409, {
    message: 'pods "web" already exists',
    reason: "AlreadyExists",
  }], [ConflictError, "ALREADY_EXISTS"]],
  ["a concurrent write", [409, {
    message: "the object has been modified",
    reason: "Conflict",
  }], [WriteConflictError, "WRITE_CONFLICT"]],
  ["a version that is too old", [410, {
    message: "too old resource version: 1 (9)",
    reason: "Expired",
  }], [ClusterError, "RESOURCE_EXPIRED"]],
  ["an invalid object", [422, {
    message: 'Pod "web" is invalid',
    reason: "Invalid",
    details: {
      causes: [{ field: "spec.containers", message: "Required value" }],
    },
  }], [ClusterError, "INVALID_OBJECT"]],
  ["a fault of the server", [500, "etcdserver: no leader"], [
    ClusterError,
    "API_ERROR",
  ]],
];

for (const [claim, answer, [type, code], hint] of CASES) {
  Deno.test(`apiError() knows ${claim}`, () => {
    const error = errorOf(...answer);
    assert.equal(error.constructor, type);
    assert.equal(error.code, code);
    assert.match(
      error.message,
      /^Cannot create Pod "web" in namespace "shop": ./,
    );
    if (hint !== undefined) assert.match(error.hint ?? "", hint);
  });
}

Deno.test("apiError() lists the fields that an invalid object fails on", () => {
  const error = errorOf(422, {
    details: {
      causes: [{ field: "spec.containers", message: "Required value" }],
    },
  });
  assert.deepEqual(error.details, ["spec.containers: Required value"]);
});

Deno.test("apiError() fits foreign words behind a colon: one line, no final period", () => {
  const error = errorOf(502, "<html>\n  Bad gateway.\n");
  assert.match(error.message, /: <html> Bad gateway$/);
});

Deno.test("missingRule() asks for both verbs a port-forward may need", () => {
  assert.equal(
    missingRule(
      'User "x" cannot get resource "pods/portforward" in API group "" in the namespace "a"',
    ),
    'apiGroups: [""], resources: ["pods/portforward"], verbs: ["get", "create"]',
  );
  assert.equal(missingRule("something else"), undefined);
});
