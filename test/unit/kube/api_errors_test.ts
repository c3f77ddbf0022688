import assert from "node:assert/strict";
import {
  ClusterError,
  ConflictError,
  NotFoundError,
  PermissionError,
  UnsupportedError,
  WriteConflictError,
} from "../../../src/core/errors.ts";
import { hintWithFlags } from "../../../src/commands/session/flag_hints.ts";
import { apiError, missingRule } from "../../../src/kube/api_errors.ts";
import { PODS, SERVICES } from "../../../src/kube/resources.ts";

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
    /^Delete what .*larger ResourceQuota/,
  ],
  [
    "an exceeded quota of memory",
    [403, {
      message:
        'pods "web" is forbidden: exceeded quota: q, requested: limits.memory=200Mi, used: limits.memory=0, limited: limits.memory=100Mi',
    }],
    [ClusterError, "QUOTA_EXCEEDED"],
    /^Request less.*--podQuota/,
  ],
  [
    "a quota that wants limits",
    [403, {
      message:
        'pods "web" is forbidden: failed quota: q: must specify limits.memory for: standalone; requests.cpu for: standalone',
    }],
    [ClusterError, "QUOTA_EXCEEDED"],
    /requests and limits\. Use --podQuota/,
  ],
  [
    "a quota that wants limits of local disk",
    [403, {
      message:
        'pods "web" is forbidden: failed quota: q: must specify limits.ephemeral-storage for: standalone; limits.memory for: standalone',
    }],
    [ClusterError, "QUOTA_EXCEEDED"],
    /requests and limits\. Use --podQuota, such as `--podQuota [^`]*ephemeral-storage=/,
  ],
  [
    "an exceeded quota of local disk",
    [403, {
      message:
        'pods "web" is forbidden: exceeded quota: q, requested: limits.ephemeral-storage=2Gi, used: limits.ephemeral-storage=0, limited: limits.ephemeral-storage=1Gi',
    }],
    [ClusterError, "QUOTA_EXCEEDED"],
    /^Request less.*ephemeral-storage=/,
  ],
  [
    "a LimitRange of local disk",
    [403, {
      message:
        'pods "web" is forbidden: minimum ephemeral-storage usage per Container is 1Gi.  No request is specified',
    }],
    [ClusterError, "QUOTA_EXCEEDED"],
    /LimitRange.*ephemeral-storage=/,
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
    "a LimitRange's ratio",
    [403, {
      message:
        'pods "web" is forbidden: cpu max limit to request ratio per Container is 2, but provided ratio is 10.000000',
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
    /kubectl create serviceaccount robot -n shop.*--serviceAccount/,
  ],
  [
    "Pod Security",
    [403, {
      message:
        'pods "web" is forbidden: violates PodSecurity "restricted:latest": runAsNonRoot != true (pod or container "standalone" must set securityContext.runAsNonRoot=true)',
    }],
    [ClusterError, "ADMISSION_DENIED"],
    /^A policy .*exception/,
  ],
  [
    "a ValidatingAdmissionPolicy that wants a label",
    [422, {
      message:
        "pods \"web\" is forbidden: ValidatingAdmissionPolicy 'require-team' with binding 'require-team' denied request: label team is required",
      reason: "Invalid",
    }],
    [ClusterError, "ADMISSION_DENIED"],
    /exception\. Use --withLabel key=value\.$/,
  ],
  [
    "a ValidatingAdmissionPolicy that wants limits",
    [403, {
      message:
        "pods \"web\" is forbidden: ValidatingAdmissionPolicy 'limits' with binding 'limits' denied request: failed expression: object.spec.containers.all(c, has(c.resources.limits) && 'memory' in c.resources.limits)",
      reason: "Forbidden",
    }],
    [ClusterError, "ADMISSION_DENIED"],
    /Use --podQuota, such as/,
  ],
  [
    "a ValidatingAdmissionPolicy that wants limits of local disk",
    [403, {
      message:
        "pods \"web\" is forbidden: ValidatingAdmissionPolicy 'limits' with binding 'limits' denied request: each container needs limits.ephemeral-storage",
      reason: "Forbidden",
    }],
    [ClusterError, "ADMISSION_DENIED"],
    /Use --podQuota, such as `--podQuota [^`]*ephemeral-storage=/,
  ],
  [
    "a ValidatingAdmissionPolicy that answers 401",
    [401, {
      message:
        "pods \"web\" is forbidden: ValidatingAdmissionPolicy 'who' with binding 'who' denied request: not you",
      reason: "Unauthorized",
    }],
    [ClusterError, "ADMISSION_DENIED"],
    /^A policy /,
  ],
  [
    "a MutatingAdmissionPolicy that fails",
    [422, {
      message:
        "pods \"web\" is forbidden: policy 'inject' with binding 'inject' denied request: error applying patch: invalid ApplyConfiguration",
      reason: "Invalid",
    }],
    [ClusterError, "ADMISSION_DENIED"],
    /^A policy /,
  ],
  [
    "Gatekeeper",
    [403, {
      message:
        'admission webhook "validation.gatekeeper.sh" denied the request: [pods-must-have-owner] you must provide annotations: {"owner"}',
      reason: "Forbidden",
    }],
    [ClusterError, "ADMISSION_DENIED"],
    /Use --withAnnotation key=value\.$/,
  ],
  [
    "Kyverno",
    [400, {
      message:
        "admission webhook \"validate.kyverno.svc-fail\" denied the request: \n\nresource Pod/shop/web was blocked due to the following policies \n\nrequire-labels:\n  check-for-labels: 'validation error: The label `team` is required. rule check-for-labels failed at path /metadata/labels/team/'\n",
      reason: "BadRequest",
    }],
    [ClusterError, "ADMISSION_DENIED"],
    /Use --withLabel key=value\.$/,
  ],
  [
    "a policy of images",
    [400, {
      message:
        'admission webhook "policy.acme.io" denied the request: image denoland/deno:2.9.6 is not of an allowed registry',
    }],
    [ClusterError, "ADMISSION_DENIED"],
    /Use --image or --routerImage \(/,
  ],
  [
    "a webhook that does not answer",
    [500, {
      message:
        'Internal error occurred: failed calling webhook "validation.gatekeeper.sh": failed to call webhook: Post "https://gk.gk.svc:443/v1/admit?timeout=3s": dial tcp 10.0.0.1:443: connect: connection refused',
      reason: "InternalError",
    }],
    [ClusterError, "API_ERROR"],
    /"validation\.gatekeeper\.sh" .*does not answer/,
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
  ["a server that has too much to do", [429, {
    message: "too many requests, please try again later.",
    reason: "TooManyRequests",
  }], [ClusterError, "API_ERROR"]],
  ["a request that the server does not take", [400, {
    message:
      "the object provided is unrecognized (must be of type Pod): couldn't get version/kind; json parse error: unexpected end of JSON input",
    reason: "BadRequest",
  }], [ClusterError, "API_REFUSED"]],
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
    if (hint !== undefined) assert.match(hintWithFlags(error) ?? "", hint);
  });
}

Deno.test("what is there already is not told to be given labels", () => {
  const body = JSON.stringify({
    kind: "Status",
    message:
      "services \"web\" is forbidden: ValidatingAdmissionPolicy 'require-team' with binding 'require-team' denied request: label team is required",
  });
  const patch = { ...SUBJECT, action: "patch", resource: SERVICES };
  const denied = apiError({ code: 422, body }, patch);
  assert.match(denied.message, /'require-team'/);
  assert.deepEqual(denied.remedies, []);
  const limits = JSON.stringify({
    kind: "Status",
    message:
      'admission webhook "policy.acme.io" denied the request: a Service of type LoadBalancer has limits and wants labels',
  });
  const make = { ...SUBJECT, resource: SERVICES };
  const { remedies } = apiError({ code: 403, body: limits }, make);
  assert.deepEqual(remedies, ["labels"]);
});

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
