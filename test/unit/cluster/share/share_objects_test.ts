import assert from "node:assert/strict";
import { ignoredOptions } from "../../../../src/cluster/pod/ignored_options.ts";
import {
  readKeys,
  shareConfigMap,
  shareSecret,
  shareWorkload,
} from "../../../../src/cluster/share/share_objects.ts";
import { SHADOW_IMAGE } from "../../../../src/cluster/pod/pod_options.ts";
import { NOW } from "../leftovers.ts";
import { share, sharer } from "../shares.ts";

const pair = (name: string) => ({
  privateKey: `${name} private`,
  publicKey: `${name} public`,
});
const state = share({ sharers: [sharer("a", 0), sharer("b", 0)] });
const made = shareSecret(state, {
  namespace: "test",
  host: pair("host"),
  client: pair("client"),
});
const by = { maker: state, now: NOW };

Deno.test("the record can be changed, the shared agent's code cannot", () => {
  assert.equal(made["immutable"], undefined);
  const configMap = shareConfigMap({ state, secret }, "source", state);
  assert.equal(configMap["immutable"], true);
});

const secret = { ...made, metadata: { ...made.metadata, uid: "u1" } };

Deno.test("the client's key is in the shared Secret, and the pod is given the other two alone", () => {
  const data = Object.fromEntries(
    Object.entries(made["stringData"] as Record<string, string>).map((
      [key, text],
    ) => [key, btoa(text)]),
  );
  assert.deepEqual(readKeys({ ...secret, data }), {
    hostPublicKey: "host public",
    clientPrivateKey: "client private",
  });
  const { volumes } = shareWorkload({ state, secret }, "source", by)["spec"];
  const { secret: mounted } = volumes.find(({ name }: { name: string }) =>
    name === "keys"
  );
  assert.deepEqual(
    mounted.items.map(({ key }: { key: string }) => key),
    ["host_key", "authorized_key"],
  );
});

Deno.test("what is shared belongs to no session, and goes with the record", () => {
  for (const asDeployment of [false, true]) {
    const given = { ...state, pod: { ...state.pod, asDeployment } };
    for (
      const object of [
        shareWorkload({ state: given, secret }, "source", by),
        shareConfigMap({ state: given, secret }, "source", state),
      ]
    ) {
      const { name, labels, annotations, ownerReferences } = object.metadata;
      assert.equal(name, "kt-connect-shadow-daemon");
      assert.equal(labels?.["control-by"], "kt");
      assert.equal(labels?.["kt-role"], "shadow-connect");
      assert.equal(annotations?.["ktctl.dev/session"], undefined);
      assert.equal(annotations?.["ktctl.dev/shared"], "1");
      assert.deepEqual(ownerReferences?.map(({ uid }) => uid), ["u1"]);
    }
  }
  const workload = shareWorkload({ state, secret }, "source", by);
  assert.equal(workload.metadata.annotations?.["kt-ref-count"], "2");
});

Deno.test("only what was asked for, and is otherwise, counts as ignored", () => {
  const { pod } = share();
  const plain = { ...pod, image: SHADOW_IMAGE };
  assert.deepEqual(ignoredOptions(plain, pod), []);
  assert.deepEqual(ignoredOptions(pod, pod), []);
  assert.deepEqual(
    ignoredOptions(
      {
        ...plain,
        image: "mine",
        quota: { cpu: "1" },
        labels: { b: "2", a: "1" },
      },
      { ...plain, labels: { a: "1", b: "2" } },
    ),
    ["image", "requests and limits"],
  );
});

Deno.test("whoever makes the shared pod runs the image of their own, and what others wished for is a Deployment still", () => {
  const given = { ...state, pod: { ...state.pod, asDeployment: true } };
  const pod = { ...state.pod, image: "mine" };
  const workload = shareWorkload({ state: given, secret }, "source", {
    maker: { user: "bob", pod },
    now: NOW,
  });
  assert.equal(workload.kind, "Deployment");
  assert.equal(workload["spec"].template.spec.containers[0].image, "mine");
  assert.equal(workload.metadata.annotations?.["kt-user"], "bob");
});
