import assert from "node:assert/strict";
import { agentConfig } from "../../../../src/cluster/shadow/pod_ports.ts";
import { podLoss } from "../../../../src/cluster/shadow/pod_loss.ts";
import type { Shadow } from "../../../../src/cluster/shadow/shadow.ts";
import type {
  KubeApi,
  KubeObject,
  WatchEvent,
} from "../../../../src/kube/kube_api.ts";

const EXPOSED = [{ name: "http", port: 8080, servicePort: 80, local: 3000 }];
const exchange = agentConfig(EXPOSED, { ready: "always" });
const mesh = agentConfig(EXPOSED, { ready: "attached" });
const connect = agentConfig([], { ready: "always" });

const running = { running: {} };
const ended = { terminated: { reason: "OOMKilled", exitCode: 137 } };
const backOff = { waiting: { reason: "CrashLoopBackOff" } };

function pod(state: unknown, { isReady }: { isReady: boolean }): KubeObject {
  const conditions = [{ type: "Ready", status: isReady ? "True" : "False" }];
  const containerStatuses = [{ name: "standalone", state, lastState: ended }];
  return {
    metadata: { name: "web-kt-exchange-x", uid: "1" },
    status: { phase: "Running", conditions, containerStatuses },
  };
}

/** Time enough to lose a pod that is not ready for a second. */
const PATIENCE_MS = 1_500;

/**
 * What is told of a pod that is in these states, the last one for good; undefined where it is not lost
 * meanwhile, by default for as long as the busiest machine takes.
 */
async function told(
  agent: Shadow["spec"]["agent"],
  states: readonly KubeObject[],
  withinMs = 30_000,
): Promise<
  { reason: string | undefined; starved: readonly string[]; ms: number }
> {
  const ends = new AbortController();
  async function* watch(
    _resource: unknown,
    { signal }: { signal: AbortSignal },
  ): AsyncGenerator<WatchEvent> {
    for (const object of states) {
      yield { type: "MODIFIED", object };
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    if (signal.aborted) return;
    await new Promise((resolve) => signal.addEventListener("abort", resolve));
  }
  const shadow = {
    podUid: "1",
    spec: { namespace: "test", labels: {}, agent },
  } as unknown as Shadow;
  const kube = { watch } as unknown as KubeApi;
  const timer = setTimeout(() => ends.abort(), withinMs);
  const begun = performance.now();
  const starved: string[] = [];
  const reason = await podLoss(kube, shadow, {
    signal: ends.signal,
    onInterrupted: () => {},
    onStarved: (message) => starved.push(message),
  }).catch(() => undefined);
  clearTimeout(timer);
  return { reason, starved, ms: performance.now() - begun };
}

Deno.test("a container that the kubelet makes wait is lost at once, whatever the pod is for", async () => {
  for (const agent of [exchange, mesh, connect]) {
    const { reason, ms } = await told(agent, [
      pod(running, { isReady: true }),
      pod(backOff, { isReady: false }),
    ]);
    assert.match(
      reason ?? "",
      /keeps ending: it was killed for lack of memory \(OOMKilled; /,
    );
    assert.ok(ms < 900, `after ${ms} ms`);
  }
});

Deno.test("a pod that a Service leads to is lost when it is not ready for a second", async () => {
  for (const state of [running, ended]) {
    const { reason, ms } = await told(exchange, [
      pod(running, { isReady: true }),
      pod(state, { isReady: false }),
    ]);
    assert.match(
      reason ?? "",
      /ended: it was killed .*OOMKilled|no longer ready/,
    );
    assert.ok(ms > 950, `after ${ms} ms`);
  }
});

Deno.test("a pod that is ready again within a second is not lost", async () => {
  const { reason } = await told(exchange, [
    pod(running, { isReady: true }),
    pod(ended, { isReady: false }),
    pod(running, { isReady: true }),
  ], PATIENCE_MS);
  assert.equal(reason, undefined);
});

Deno.test("a pod whose readiness tells of the link, or of nothing, is not lost by it", async () => {
  for (const agent of [mesh, connect]) {
    const states = [pod(running, { isReady: false })];
    const { reason } = await told(agent, states, PATIENCE_MS);
    assert.equal(reason, undefined);
  }
});

Deno.test("a container that was killed for lack of memory and runs again is told of, once each time", async () => {
  const restarted = (restartCount: number) => {
    const object = pod(running, { isReady: true });
    object["status"].containerStatuses[0].restartCount = restartCount;
    return object;
  };
  const { reason, starved } = await told(connect, [
    restarted(1), // before this session looked
    pod(ended, { isReady: false }),
    restarted(2),
    restarted(2),
  ], PATIENCE_MS);
  assert.equal(reason, undefined);
  assert.equal(starved.length, 1, starved.join());
  assert.match(starved[0]!, /killed for lack of memory /);
});
