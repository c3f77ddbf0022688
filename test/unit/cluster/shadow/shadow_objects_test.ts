import assert from "node:assert/strict";
import { hostname } from "node:os";
import { createHash } from "node:crypto";
import {
  shadowConfigMap,
  shadowKeeper,
  shadowSecret,
  type ShadowSpec,
  shadowWorkload,
} from "../../../../src/cluster/shadow/shadow_objects.ts";
import {
  DEFAULT_POD,
  type PodOptions,
} from "../../../../src/cluster/pod/pod_options.ts";
import { agentConfig } from "../../../../src/cluster/shadow/pod_ports.ts";
import { SERVICES } from "../../../../src/kube/resources.ts";
import { stamped } from "../../../../src/kube/stamped.ts";

const NOW = 1_700_000_000;
const PARTS = { source: "the agent", keysDigest: "of the keys" };

function spec(
  pod: Partial<PodOptions> = {},
  part: Partial<ShadowSpec> = {},
): ShadowSpec {
  return {
    name: "web-kt-exchange-abcde",
    namespace: "test",
    session: "s1",
    user: "alice",
    labels: { "kt-role": "shadow-exchange", "kt-target": "AbC" },
    config: "service=web",
    ports: [{ name: "http", port: 8080 }],
    agent: agentConfig([{ name: "http", port: 8080, servicePort: 80 }], {
      ready: "always",
    }),
    pod: { ...DEFAULT_POD, image: "denoland/deno:1", ...pod },
    unprivilegedPortStart: false,
    ...part,
  };
}

/** The pod itself, and the pod inside a Deployment. */
for (const asDeployment of [false, true]) {
  const form = asDeployment ? "Deployment" : "Pod";
  const podOf = (given: ShadowSpec) => {
    const workload = shadowWorkload(given, PARTS, NOW);
    return asDeployment ? workload.spec.template.spec : workload.spec;
  };

  Deno.test(`the Shadow ${form} has all that PodSecurity "restricted" asks for`, () => {
    const pod = podOf(spec({ asDeployment }));
    assert.equal(pod.securityContext.runAsNonRoot, true);
    assert.notEqual(pod.securityContext.runAsUser, 0);
    assert.deepEqual(pod.securityContext.seccompProfile, {
      type: "RuntimeDefault",
    });
    for (const field of ["hostNetwork", "hostPID", "hostIPC"]) {
      assert.equal(pod[field], undefined);
    }
    for (const { securityContext, ports } of pod.containers) {
      assert.equal(securityContext.allowPrivilegeEscalation, false);
      assert.deepEqual(securityContext.capabilities, { drop: ["ALL"] });
      assert.ok(!securityContext.privileged);
      for (const port of ports) assert.equal(port.hostPort, undefined);
    }
    const allowed = ["configMap", "secret", "emptyDir"];
    for (const { name: _, ...source } of pod.volumes) {
      assert.ok(allowed.includes(Object.keys(source)[0]!));
    }
  });

  Deno.test(`the kubelet asks the Shadow ${form} whether it is attached, unless what leads to it does`, () => {
    const agent = agentConfig([], { ready: "attached" });
    const probe = (part: Partial<ShadowSpec>) =>
      podOf(spec({ asDeployment }, part)).containers[0].readinessProbe;
    assert.equal(probe({ agent }).httpGet.path, "/ready");
    assert.equal(probe({ agent, isChecked: true }), undefined);
    assert.equal(probe({}), undefined);
  });

  Deno.test(`the Shadow ${form} holds no token of the API, and writes to nothing but /tmp`, () => {
    const pod = podOf(spec({ asDeployment }));
    assert.equal(pod.automountServiceAccountToken, false);
    const [container] = pod.containers;
    assert.equal(container.securityContext.readOnlyRootFilesystem, true);
    const writable = container.volumeMounts.filter((
      { readOnly }: { readOnly?: boolean },
    ) => !readOnly);
    assert.deepEqual(
      writable.map(({ mountPath }: { mountPath: string }) => mountPath),
      ["/tmp"],
    );
  });

  Deno.test(`the Shadow ${form} says itself what its container runs and serves`, () => {
    const given = spec({ asDeployment });
    const [container] = podOf(given).containers;
    const sum = createHash("sha256").update(PARTS.source).digest("hex");
    assert.ok(decodeURIComponent(container.command.join(" ")).includes(sum));
    const [config, digest] = container.command.slice(-2);
    assert.deepEqual(JSON.parse(config), given.agent);
    assert.equal(digest, PARTS.keysDigest);
  });

  Deno.test(`options of our pods reach the Shadow ${form}`, () => {
    const pod = podOf(spec({
      asDeployment,
      image: "mirror/deno:2",
      imagePullPolicy: "Always",
      imagePullSecret: "pull",
      serviceAccount: "robot",
      nodeSelector: { disk: "ssd" },
      quota: { cpu: "0.5", memory: "512Mi" },
    }));
    const [container] = pod.containers;
    assert.deepEqual([container.image, container.imagePullPolicy], [
      "mirror/deno:2",
      "Always",
    ]);
    assert.deepEqual(pod.imagePullSecrets, [{ name: "pull" }]);
    assert.equal(pod.serviceAccountName, "robot");
    assert.deepEqual(pod.nodeSelector, {
      "kubernetes.io/os": "linux",
      disk: "ssd",
    });
    const quota = { cpu: "0.5", memory: "512Mi" };
    assert.deepEqual(container.resources, { limits: quota, requests: quota });
  });
}

Deno.test("low ports are allowed by a sysctl that counts as safe, and only where asked for", () => {
  const sysctls = (unprivilegedPortStart: boolean) =>
    shadowWorkload(spec({}, { unprivilegedPortStart }), PARTS, NOW).spec
      .securityContext.sysctls;
  assert.equal(sysctls(false), undefined);
  assert.deepEqual(sysctls(true), [
    { name: "net.ipv4.ip_unprivileged_port_start", value: "0" },
  ]);
});

Deno.test("users' labels and annotations never replace those that ktctl finds its objects by", () => {
  const { metadata } = stamped(shadowWorkload(spec(), PARTS, NOW), {
    labels: { "control-by": "me", "kt-role": "router", team: "a" },
    annotations: { "kt-user": "mallory", note: "b" },
  });
  assert.deepEqual(metadata.labels, {
    "control-by": "kt",
    "kt-role": "shadow-exchange",
    "kt-target": "AbC",
    team: "a",
  });
  assert.deepEqual(metadata.annotations, {
    note: "b",
    "kt-config": "service=web",
    "kt-last-heart-beat": String(NOW),
    "kt-ref-count": "1",
    "kt-user": "alice",
    "ktctl.dev/host": hostname(),
    "ktctl.dev/session": "s1",
    "ktctl.dev/status-port": "2223",
  });
});

Deno.test("a Shadow Deployment selects its own pod, which does not count as one of ours by itself", () => {
  const { spec: deployment } = shadowWorkload(
    spec({ asDeployment: true }),
    PARTS,
    NOW,
  );
  const { labels, annotations } = deployment.template.metadata;
  assert.deepEqual(deployment.selector.matchLabels, labels);
  assert.equal(labels["control-by"], undefined);
  assert.equal(labels["kt-target"], "AbC");
  assert.equal(annotations["kt-last-heart-beat"], undefined);
});

Deno.test("what keeps a Shadow Pod adopts it, makes the same again, and goes with what it falls back to", () => {
  const owner = {
    apiVersion: "v1",
    kind: "Service",
    name: "web-kt-stuntman",
    uid: "u1",
  };
  const keptWith = { resource: SERVICES, name: owner.name, namespace: "test" };
  const given = spec({}, { keptWith });
  const pod = shadowWorkload(given, PARTS, NOW);
  const keeper = shadowKeeper(given, PARTS, owner);
  const { selector, template } = keeper.spec;
  assert.deepEqual(keeper.metadata.ownerReferences, [owner]);
  for (const { metadata } of [pod, template]) {
    for (const [key, value] of Object.entries(selector.matchLabels)) {
      assert.equal(metadata.labels[key], value);
    }
  }
  assert.deepEqual(template.spec, pod.spec);
  const left = pod.spec.tolerations.map((
    { key, tolerationSeconds }: { key: string; tolerationSeconds: number },
  ) => [key, tolerationSeconds]);
  assert.deepEqual(left, [
    ["node.kubernetes.io/not-ready", 5],
    ["node.kubernetes.io/unreachable", 5],
  ]);
  const bare = shadowWorkload(spec(), PARTS, NOW);
  assert.equal(bare.spec.tolerations, undefined);
  // the original's clean must neither delete what it makes alone, nor take it for an exchange that lives
  assert.equal(template.metadata.labels["control-by"], undefined);
  assert.equal(
    template.metadata.annotations["kt-last-heart-beat"],
    undefined,
  );
  assert.equal(template.metadata.annotations["kt-config"], "service=web");
  assert.ok(!keeper.metadata.name.startsWith("web-kt-exchange-"));
});

Deno.test("a pod that was lost with its node is made on another one, where it may be", () => {
  const podOf = (pod: Partial<PodOptions>) =>
    shadowWorkload(spec(pod), PARTS, NOW).spec;
  const { nodeAffinity } = podOf({ notOnNode: "node2" }).affinity;
  const [{ preference }] =
    nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution;
  assert.deepEqual(preference.matchFields, [
    { key: "metadata.name", operator: "NotIn", values: ["node2"] },
  ]);
  const both = { notOnNode: "node2", nodeName: "node2" };
  assert.deepEqual(podOf(both), podOf({ nodeName: "node2" }));
});

Deno.test("ConfigMap and Secret carry the session, and each only what is its own", () => {
  const keys = { hostPrivateKey: "HOST", clientPublicKey: "CLIENT" };
  const secret = shadowSecret(spec(), keys);
  const configMap = shadowConfigMap(spec(), "the agent");
  for (const object of [secret, configMap]) {
    assert.equal(object.immutable, true);
    assert.equal(object.metadata.name, "web-kt-exchange-abcde");
    assert.equal(object.metadata.labels?.["control-by"], "kt");
    // without a heartbeat: the original ktctl deletes what has an old one
    assert.deepEqual(object.metadata.annotations, {
      "ktctl.dev/session": "s1",
    });
  }
  assert.deepEqual(secret.stringData, {
    host_key: "HOST",
    authorized_key: "CLIENT",
  });
  assert.equal(configMap.data["agent.js"], "the agent");
  assert.ok(!JSON.stringify(configMap).includes("HOST"));
});

Deno.test("a pod of a fixed name reads a ConfigMap and a Secret that the one before it never had", () => {
  const given = spec({}, {
    name: "web-kt-mesh-a",
    partsName: "web-kt-mesh-a-x",
  });
  const names = [
    shadowConfigMap(given, "the agent"),
    shadowSecret(given, { hostPrivateKey: "", clientPublicKey: "" }),
  ].map(({ metadata }) => metadata.name);
  assert.deepEqual(names, ["web-kt-mesh-a-x", "web-kt-mesh-a-x"]);
  const pod = shadowWorkload(given, PARTS, NOW);
  assert.equal(pod.metadata.name, "web-kt-mesh-a");
  const text = JSON.stringify(pod.spec.volumes);
  assert.equal(text.match(/"web-kt-mesh-a-x"/g)?.length, 2, text);
});
