import assert from "node:assert/strict";
import {
  awaitPod,
  isReady,
  isRunning,
} from "../../../../src/cluster/pod/pod_ready.ts";
import { hintWithFlags } from "../../../../src/commands/session/flag_hints.ts";
import { PermissionError } from "../../../../src/core/errors.ts";
import type {
  KubeApi,
  KubeObject,
  Resource,
  WatchEvent,
} from "../../../../src/kube/kube_api.ts";

const OOM = { reason: "OOMKilled", exitCode: 137, message: "heap is full\n" };
const LIMITED = {
  containers: [{
    name: "standalone",
    image: "denoland/deno:1",
    resources: { limits: { memory: "20Mi" } },
  }],
};
/** As the API server of 1.37 writes it. */
const LIMIT_RANGER = {
  "kubernetes.io/limit-ranger":
    "LimitRanger plugin set: cpu, memory request for container standalone; cpu, memory limit for container standalone",
};

function podOf(
  status: Record<string, unknown>,
  { spec = LIMITED, annotations = {} }: {
    spec?: unknown;
    annotations?: Record<string, string>;
  } = {},
): KubeObject {
  const metadata = { name: "web-kt-exchange-x", uid: "1", annotations };
  return { metadata, spec, status };
}

/** A cluster whose watch tells of one pod and then no more. */
function kubeWith(
  pod: KubeObject,
  lists: Record<string, KubeObject[]> = {},
): KubeApi {
  async function* watch(
    _resource: unknown,
    { signal }: { signal: AbortSignal },
  ): AsyncGenerator<WatchEvent> {
    yield { type: "ADDED", object: pod };
    if (signal.aborted) return;
    await new Promise((resolve) => signal.addEventListener("abort", resolve));
  }
  const list = ({ plural }: Resource) => {
    const found = lists[plural];
    return found === undefined
      ? Promise.reject(new PermissionError("RBAC_FORBIDDEN", plural))
      : Promise.resolve(found);
  };
  return { watch, list } as unknown as KubeApi;
}

interface Failure {
  readonly message: string;
  readonly hint: string;
  readonly details: readonly string[];
  readonly ms: number;
}

/** How the wait for the pod ends, which never becomes ready. */
async function failureOf(
  kube: KubeApi,
  { timeoutMs = 5_000, until = isReady } = {},
): Promise<Failure> {
  const begun = performance.now();
  const error = await awaitPod(kube, {
    namespace: "test",
    labelSelector: "kt-target=x",
    timeoutMs,
    signal: new AbortController().signal,
    until,
  }).then(() => assert.fail("it came up"), (error) => error);
  assert.equal(error.code, "POD_NOT_READY");
  const { message, details } = error;
  const hint = hintWithFlags(error)!;
  return { message, hint, details, ms: performance.now() - begun };
}

function lateFailureOf(pod: KubeObject, lists = {}): Promise<Failure> {
  return failureOf(kubeWith(pod, lists), { timeoutMs: 50 });
}

const own = (state: unknown, more: Record<string, unknown> = {}) => ({
  name: "standalone",
  ready: false,
  state,
  ...more,
});
const sidecar = (more: Record<string, unknown>) => ({
  name: "istio-proxy",
  ready: false,
  ...more,
});
const RUNNING = { running: {} };

for (
  const status of [
    own({ terminated: OOM }),
    own({ waiting: { reason: "CrashLoopBackOff" } }, {
      lastState: { terminated: OOM },
    }),
    own({
      waiting: {
        reason: "RunContainerError",
        message: "container init was OOM-killed (memory limit too low?)",
      },
    }),
  ]
) {
  const how = JSON.stringify(status.state).slice(0, 40);
  Deno.test(`a container without enough memory ends the wait at once, with its limit and whose that is (${how})`, async () => {
    const pod = podOf({ containerStatuses: [status] }, {
      annotations: LIMIT_RANGER,
    });
    const limitranges = [
      { metadata: { name: "other" }, spec: { limits: [{ type: "Pod" }] } },
      {
        metadata: { name: "small" },
        spec: { limits: [{ default: { memory: "20Mi" } }] },
      },
    ];
    const { message, hint, ms } = await failureOf(
      kubeWith(pod, { limitranges, events: [] }),
    );
    assert.match(
      message,
      /its container was killed for lack of memory \(OOMKilled; its limit is 20Mi, from LimitRange "small"\)$/,
    );
    assert.match(hint, /--podQuota/);
    assert.ok(ms < 1_000, `after ${ms} ms`);
  });
}

Deno.test("a LimitRange that may not be read is told of by what it left on the pod; a limit of --podQuota is not its", async () => {
  const status = { containerStatuses: [own({ terminated: OOM })] };
  const limited = podOf(status, { annotations: LIMIT_RANGER });
  assert.match(
    (await failureOf(kubeWith(limited))).message,
    /its limit is 20Mi, from a LimitRange\)$/,
  );
  const { message, details } = await failureOf(kubeWith(podOf(status)));
  assert.match(message, /its limit is 20Mi\)$/);
  assert.deepEqual(details, ["Its last output:", "heap is full"]);
  const spec = { containers: [{ name: "standalone" }] };
  assert.match(
    (await failureOf(kubeWith(podOf(status, { spec })))).message,
    /no limit of its own: its node/,
  );
});

Deno.test("a container that keeps ending is told with its exit code and what it wrote last", async () => {
  const lines = [...Array(20).keys()].map((n) => `line ${n}`);
  const end = { reason: "Error", exitCode: 3, message: lines.join("\n") };
  const back = own({ waiting: { reason: "CrashLoopBackOff" } }, {
    lastState: { terminated: end },
  });
  const { message, details } = await failureOf(
    kubeWith(podOf({ containerStatuses: [back] })),
  );
  assert.match(
    message,
    /CrashLoopBackOff: its container ended with exit code 3 \(Error\)$/,
  );
  assert.deepEqual(details, ["Its last output:", ...lines.slice(-10)]);
});

Deno.test("a sidecar that is never ready is named, with what is known of it and whose it is", async () => {
  const states: [more: Record<string, unknown>, says: RegExp][] = [
    [{ state: RUNNING }, /container "istio-proxy" runs, but is not ready$/],
    [
      { state: { waiting: { reason: "ErrImagePull", message: "gone" } } },
      /container "istio-proxy" waits, ErrImagePull: gone$/,
    ],
    [
      {
        state: { waiting: { reason: "CrashLoopBackOff" } },
        lastState: { terminated: { reason: "Error", exitCode: 2 } },
      },
      /CrashLoopBackOff: container "istio-proxy" ended with exit code 2 \(Error\)$/,
    ],
  ];
  for (const [more, says] of states) {
    const { message, hint } = await lateFailureOf(podOf({
      containerStatuses: [
        sidecar(more),
        own(RUNNING, { ready: true }),
      ],
    }));
    assert.match(message, /^Pod "web-kt-exchange-x" .*not ready within 0 s, /);
    assert.match(message, says);
    assert.match(hint, /^It was injected.*sidecar\.istio\.io.*--withLabel/);
  }
});

Deno.test("a sidecar's memory is not for --podQuota to give", async () => {
  const { message, hint, ms } = await failureOf(kubeWith(podOf({
    containerStatuses: [
      sidecar({ state: { terminated: OOM } }),
      own(RUNNING, { ready: true }),
    ],
  })));
  assert.match(message, /container "istio-proxy" was killed for lack of mem/);
  assert.doesNotMatch(hint, /--podQuota/);
  assert.ok(ms < 1_000);
});

const NATIVE = {
  ...LIMITED,
  initContainers: [
    { name: "istio-init", image: "init:1" },
    { name: "istio-proxy", image: "proxy:1", restartPolicy: "Always" },
  ],
};
const INIT_DONE = {
  name: "istio-init",
  ready: true,
  state: { terminated: { reason: "Completed", exitCode: 0 } },
};

Deno.test("a native sidecar counts as one: it runs on, is named while it is not ready, and holds up ours until it has started", async () => {
  const spec = NATIVE;
  const late = await lateFailureOf(podOf({
    initContainerStatuses: [
      INIT_DONE,
      sidecar({ started: true, state: RUNNING }),
    ],
    containerStatuses: [own(RUNNING, { ready: true })],
  }, { spec }));
  assert.match(late.message, /container "istio-proxy" runs, but is not ready$/);

  const stuck = {
    state: { waiting: { reason: "ImagePullBackOff", message: "proxy:1" } },
  };
  const waiting = own({ waiting: { reason: "PodInitializing" } });
  const { message, hint, ms } = await failureOf(kubeWith(podOf({
    initContainerStatuses: [INIT_DONE, sidecar({ started: false, ...stuck })],
    containerStatuses: [waiting],
  }, { spec })));
  assert.match(message, /container "istio-proxy" waits, ImagePullBackOff/);
  assert.match(hint, /its image "proxy:1"/);
  assert.ok(ms < 1_000);
});

Deno.test("an init container that does not end is named", async () => {
  const { message } = await lateFailureOf(podOf({
    initContainerStatuses: [{
      name: "istio-init",
      ready: false,
      state: RUNNING,
    }],
    containerStatuses: [own({ waiting: { reason: "PodInitializing" } })],
  }, { spec: NATIVE }));
  assert.match(message, /init container "istio-init" has not ended$/);
});

/** As a kubelet writes it: `started` is there for whatever does not run. */
const IN_TROUBLE = [
  {
    waiting: {
      reason: "CrashLoopBackOff",
      message: "back-off 10s restarting failed container=istio-proxy",
    },
  },
  {
    waiting: {
      reason: "ImagePullBackOff",
      message: 'Back-off pulling image "proxy:1"',
    },
  },
];

for (const state of IN_TROUBLE) {
  const { reason } = state.waiting;
  Deno.test(`a sidecar in trouble is no reason to give up a pod that needs none (${reason})`, async () => {
    const pod = podOf({
      containerStatuses: [
        sidecar({ started: false, restartCount: 1, state }),
        own(RUNNING, { ready: true, started: true }),
      ],
    });
    const found = await awaitPod(kubeWith(pod), {
      namespace: "test",
      labelSelector: "kt-target=x",
      timeoutMs: 1_000,
      signal: new AbortController().signal,
      until: isRunning,
    });
    assert.equal(found, pod);
    // and not before time is up where it is needed
    const late = await failureOf(kubeWith(pod), { timeoutMs: 300 });
    assert.ok(late.ms >= 290, `after ${late.ms} ms`);
  });
}

Deno.test("a readiness gate that nobody meets is named", async () => {
  const spec = { ...LIMITED, readinessGates: [{ conditionType: "lb/ready" }] };
  const { message } = await lateFailureOf(podOf({
    conditions: [{ type: "Ready", status: "False" }],
    containerStatuses: [own(RUNNING, { ready: true })],
  }, { spec }));
  assert.match(message, /its readiness gate "lb\/ready" is not met$/);
});

/** As the schedulers of 1.20, 1.24 and 1.37 word it. */
const UNPLACED: [
  message: string,
  nodes: KubeObject[] | undefined,
  hint: RegExp,
][] = [
  [
    "0/1 nodes are available: 1 node(s) had taint {dedicated: gpu}, that the pod didn't tolerate.",
    undefined,
    /tolerate dedicated=gpu\. If a node is on its way.*--toleration .*--podCreationTimeout/,
  ],
  [
    "0/2 nodes are available: 1 node(s) had untolerated taint {spot: }, 1 node(s) had untolerated taint {node.kubernetes.io/not-ready: }.",
    undefined,
    /tolerate spot\. /,
  ],
  [
    "0/1 nodes are available: 1 node(s) had untolerated taint(s). preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.",
    [{
      metadata: { name: "node1" },
      spec: {
        taints: [
          { key: "dedicated", value: "gpu", effect: "NoSchedule" },
          { key: "node.kubernetes.io/unschedulable", effect: "NoSchedule" },
        ],
      },
    }],
    /tolerate dedicated=gpu:NoSchedule\. /,
  ],
  [
    "0/1 nodes are available: 1 node(s) had untolerated taint(s).",
    undefined,
    /kubectl get nodes.*--toleration key=value:effect/,
  ],
  [
    "0/1 nodes are available: 1 node(s) had taint {node.kubernetes.io/not-ready: }, that the pod didn't tolerate.",
    undefined,
    /give it more time\. Use --podCreationTimeout/,
  ],
  [
    "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector.",
    undefined,
    /--nodeSelector .*--podCreationTimeout/,
  ],
  ["0/1 nodes are available: 1 Insufficient memory.", undefined, /--podQuota/],
  [
    "0/1 nodes are available: 1 Insufficient ephemeral-storage.",
    undefined,
    /--podQuota [^`]*ephemeral-storage=/,
  ],
];

for (const [text, nodes, hint] of UNPLACED) {
  Deno.test(`a pod without a node is told with a way out (${text.slice(24, 70)})`, async () => {
    const failure = await lateFailureOf(
      podOf({
        conditions: [{
          type: "PodScheduled",
          status: "False",
          reason: "Unschedulable",
          message: text,
        }],
      }),
      nodes === undefined ? {} : { nodes },
    );
    assert.ok(failure.message.includes(`Unschedulable: ${text}`));
    assert.match(failure.hint, hint);
  });
}
