import assert from "node:assert/strict";
import { nodeSilence } from "../../../../src/cluster/pod/node_silence.ts";
import {
  ClusterError,
  LinkError,
  PermissionError,
} from "../../../../src/core/errors.ts";
import type { KubeApi } from "../../../../src/kube/kube_api.ts";

type Answer = () => Promise<unknown>;

const POD = {
  metadata: { name: "web-kt-exchange-abcde" },
  spec: { nodeName: "node2" },
  status: { podIP: "10.1.2.3" },
};
const tells: Answer = () => Promise.resolve(POD);
const opens: Answer = () => Promise.resolve({ destroy() {} });
const fails = (error: Error): Answer => () => Promise.reject(error);
/** As a call of ours ends at its deadline. */
const hangs: Answer = () => later(100);
const later = (ms: number): Promise<never> =>
  new Promise((_, reject) =>
    setTimeout(
      () => reject(new ClusterError("CLUSTER_UNREACHABLE", "no answer")),
      ms,
    )
  );
/** As over a network where each round trip takes 0.3 s. */
const farTells: Answer = () =>
  new Promise((resolve) => setTimeout(() => resolve(POD), 300));
const farOpens: Answer = () =>
  new Promise((resolve) =>
    setTimeout(() => resolve({ destroy() {} }), 3.5 * 300)
  );
const noRoute = fails(
  new LinkError(
    "POD_PROXY_FAILED",
    "error trying to reach service: dial tcp 10.1.2.3:9900: connect: no route to host",
  ),
);
const refused = fails(
  new LinkError(
    "PORT_FORWARD_FAILED",
    "error dialing backend: dial tcp 10.0.0.2:10250: connect: connection refused",
  ),
);
const page = fails(new LinkError("POD_PROXY_FAILED", "HTTP status 404"));
const forbidden = fails(new PermissionError("RBAC_FORBIDDEN", "forbidden"));

/** What is found out in the time that a node which is gone takes; `undefined` where that is nothing. */
async function found(
  find: Answer,
  portForward: Answer,
  proxyToPod: Answer,
): Promise<string | undefined> {
  const kube = { find, portForward, proxyToPod } as unknown as KubeApi;
  const signal = AbortSignal.timeout(3_500);
  try {
    const { node } = await nodeSilence(kube, {
      port: { name: POD.metadata.name, namespace: "test", port: 9900 },
      doubtAtMs: () => 0,
      signal,
    });
    return node ?? "some node";
  } catch (error) {
    assert.ok(signal.aborted, String(error));
    return undefined;
  }
}

const starting: Answer = () => Promise.resolve({ ...POD, status: {} });
const cases: Record<string, [Answer, Answer, Answer, string | undefined]> = {
  "a power cut": [tells, hangs, hangs, "node2"],
  "a node whose address is known to be gone": [
    tells,
    noRoute,
    noRoute,
    "node2",
  ],
  "the same, without the right to a port-forward": [
    ...[tells, forbidden, noRoute] as const,
    "node2",
  ],
  "the same, without the right to read pods": [
    ...[forbidden, hangs, hangs] as const,
    "some node",
  ],
  "a node that is gone before the pod had an address": [
    ...[starting, hangs, refused] as const,
    "node2",
  ],
  "a kubelet that is stopped": [tells, refused, page, undefined],
  "an agent that is stopped": [tells, opens, hangs, undefined],
  "both": [tells, refused, hangs, undefined],
  "an API server that is away": [hangs, hangs, hangs, undefined],
  "a slow network": [farTells, farOpens, farOpens, undefined],
  "a pod that is gone": [
    ...[() => Promise.resolve(undefined), hangs, hangs] as const,
    undefined,
  ],
  "no right to either way": [tells, forbidden, forbidden, undefined],
};

Deno.test("a node counts as gone where the API server is well and meets with silence there, and for nothing else", async () => {
  const all = Object.entries(cases);
  const verdicts = await Promise.all(
    all.map(async ([name, [find, forward, proxy]]) =>
      [name, await found(find, forward, proxy)] as const
    ),
  );
  assert.deepEqual(
    Object.fromEntries(verdicts),
    Object.fromEntries(all.map(([name, [, , , expected]]) => [name, expected])),
  );
});

Deno.test("one answer among silences is enough, and nothing is asked without a doubt", async () => {
  let asked = 0;
  const forward: Answer = () => asked++ % 2 === 0 ? hangs() : opens();
  assert.equal(await found(tells, forward, hangs), undefined);
  assert.ok(asked > 5, `asked ${asked} times`);

  const never = () => assert.fail("it was asked");
  const kube = { find: never, portForward: never, proxyToPod: never };
  const signal = AbortSignal.timeout(700);
  await assert.rejects(nodeSilence(kube as unknown as KubeApi, {
    port: { name: "web", namespace: "test", port: 9900 },
    doubtAtMs: () => Date.now() + 10_000,
    signal,
  }));
});
