import assert from "node:assert/strict";
import { type Duplex, PassThrough } from "node:stream";
import { openShadowCarrier } from "../../../../src/cluster/shadow/shadow_carrier.ts";
import type { Shadow } from "../../../../src/cluster/shadow/shadow.ts";
import {
  ClusterError,
  LinkError,
  PermissionError,
} from "../../../../src/core/errors.ts";
import type { CallOptions, KubeApi } from "../../../../src/kube/kube_api.ts";

const SHADOW = {
  podName: "shadow",
  hostPublicKey: "ssh-ed25519 AAAA",
  spec: { namespace: "shop", agent: { sshPort: 22, statusPort: 80 } },
} as unknown as Shadow;

const TOO_EARLY = new LinkError("POD_PROXY_FAILED", "connection refused");

/** What the API server does with the attempts, in order. */
interface Ways {
  readonly proxy: readonly (Error | Promise<Duplex> | Duplex)[];
  readonly forward?: Error | Promise<Duplex> | Duplex;
}

function open({ proxy, forward }: Ways, isStarting = false) {
  const calls: string[] = [];
  const signals: AbortSignal[] = [];
  const ways: string[] = [];
  const outcome = (way: Error | Promise<Duplex> | Duplex | undefined) =>
    way instanceof Error ? Promise.reject(way) : Promise.resolve(way!);
  const left = [...proxy];
  const kube = {
    proxyToPod(
      pod: { name: string; port: number },
      _upgrade: unknown,
      { signal }: CallOptions,
    ) {
      calls.push(`proxy ${pod.name}:${pod.port}`);
      signals.push(signal!);
      return outcome(left.shift());
    },
    portForward(pod: { name: string; port: number }) {
      calls.push(`forward ${pod.name}:${pod.port}`);
      return outcome(forward);
    },
  } as unknown as KubeApi;
  const opening = openShadowCarrier(kube, SHADOW, {
    protocol: "tls",
    signal: new AbortController().signal,
    timeoutMs: 5000,
    isStarting,
    onWay: (way) => void ways.push(way),
  });
  return { opening, calls, signals, ways };
}

const never = () => Promise.withResolvers<Duplex>().promise;

Deno.test("the link goes through the proxy where that answers, and no port-forward is made", async () => {
  const proxy = new PassThrough();
  const { opening, calls, ways } = open({ proxy: [proxy] });
  assert.equal(await opening, proxy);
  assert.deepEqual(calls, ["proxy shadow:80"]);
  assert.deepEqual(ways, ["proxy"]);
});

Deno.test("without the permission for the proxy the link takes a port-forward", async () => {
  const forward = new PassThrough();
  const { opening, calls, ways } = open({
    proxy: [new PermissionError("RBAC_FORBIDDEN", "no")],
    forward,
  });
  assert.equal(await opening, forward);
  assert.deepEqual(ways, ["port-forward"]);
  assert.deepEqual(calls, ["proxy shadow:80", "forward shadow:22"]);
});

Deno.test("a proxy that never answers is given up for a port-forward, and what comes later is closed", async () => {
  const forward = new PassThrough();
  const late = Promise.withResolvers<Duplex>();
  const { opening, signals } = open({ proxy: [late.promise], forward });
  assert.equal(await opening, forward);
  assert(signals[0]!.aborted);
  const proxy = new PassThrough();
  late.resolve(proxy);
  await new Promise((resolve) => setTimeout(resolve));
  assert(proxy.destroyed);
  assert(!forward.destroyed);
});

Deno.test("an agent that came up between the two attempts is asked once more by the proxy", async () => {
  const [proxy, forward] = [new PassThrough(), new PassThrough()];
  const { opening, calls } = open({ proxy: [TOO_EARLY, proxy], forward });
  assert.equal(await opening, proxy);
  assert.deepEqual(calls, [
    "proxy shadow:80",
    "forward shadow:22",
    "proxy shadow:80",
  ]);
  assert(forward.destroyed);
});

Deno.test("while the agent starts the proxy's refusal is told, but what bars its way is gone around", async () => {
  const early = open({ proxy: [TOO_EARLY] }, true);
  await assert.rejects(early.opening, TOO_EARLY);
  assert.deepEqual(early.calls, ["proxy shadow:80"]);
  for (const way of [new PermissionError("RBAC_FORBIDDEN", "no"), never()]) {
    const forward = new PassThrough();
    assert.equal(await open({ proxy: [way], forward }, true).opening, forward);
  }
});

Deno.test("a pod that the proxy does not reach has its link by the port-forward", async () => {
  for (const again of [TOO_EARLY, never()]) {
    const forward = new PassThrough();
    const { opening } = open({ proxy: [TOO_EARLY, again], forward });
    assert.equal(await opening, forward);
    assert(!forward.destroyed);
  }
});

Deno.test("where neither way leads to the agent the port-forward's words are told", async () => {
  const failed = new LinkError("PORT_FORWARD_FAILED", "port 22 refuses");
  const refused = open({ proxy: [TOO_EARLY], forward: failed });
  await assert.rejects(refused.opening, failed);
  const silent = open({ proxy: [never()], forward: failed });
  await assert.rejects(silent.opening, failed);
  assert(silent.signals[0]!.aborted);
});

const FORBIDDEN = new PermissionError("RBAC_FORBIDDEN", "no port-forward");

Deno.test("where a port-forward is forbidden a slow answer of the proxy is waited for", async () => {
  const slow = Promise.withResolvers<Duplex>();
  const { opening, signals, ways } = open({
    proxy: [slow.promise],
    forward: FORBIDDEN,
  });
  const proxy = new PassThrough();
  setTimeout(() => slow.resolve(proxy), 700);
  assert.equal(await opening, proxy);
  assert.deepEqual(ways, ["proxy"]);
  assert(!signals[0]!.aborted);
});

Deno.test("where a port-forward is forbidden an agent that does not listen yet is told, so that it is tried again", async () => {
  const { opening } = open({ proxy: [TOO_EARLY], forward: FORBIDDEN });
  await assert.rejects(opening, TOO_EARLY);
});

Deno.test("where both ways are forbidden, or the proxy's is barred, the right to port-forward is missed", async () => {
  const no = new PermissionError("RBAC_FORBIDDEN", "no proxy");
  const late = Promise.withResolvers<Duplex>();
  setTimeout(
    () => late.reject(new ClusterError("CLUSTER_UNREACHABLE", "")),
    700,
  );
  for (const proxy of [no, late.promise]) {
    const { opening } = open({ proxy: [proxy], forward: FORBIDDEN });
    await assert.rejects(opening, FORBIDDEN);
  }
});
