// A start that fails says why, and takes back what it had begun.
import assert from "node:assert/strict";
import { makeAccount } from "./account.ts";
import { openTestCluster, succeeded } from "./cluster.ts";
import { assertNoTrace, eventually, Laptop } from "./laptop.ts";

for (
  const { title, verb } of [
    { title: "exchange", verb: ["exchange", "web"] },
    {
      title: "exchange (scale)",
      verb: ["exchange", "deploy/web", "--mode", "scale"],
    },
    {
      title: "exchange with a shadow Deployment",
      verb: ["exchange", "web", "--useShadowDeployment"],
    },
    { title: "preview", verb: ["preview", "mine"] },
  ]
) {
  Deno.test(`${title} with an image that cannot be pulled says so and leaves nothing`, async () => {
    const cluster = await openTestCluster();
    await using namespace = await cluster.demo();
    await using laptop = await Laptop.open(cluster, namespace);
    const before = await namespace.snapshot();
    const image = "registry.invalid/nope:1";
    const expose = `${laptop.demo.port}:80`;
    const result = await laptop.run([
      ...verb,
      "--expose",
      expose,
      "--image",
      image,
    ]);
    assert.equal(result.error?.["code"], "POD_NOT_READY", result.stdout);
    assert.equal(result.code, 5);
    const { message, hint, details } = result.error!;
    assert.match(message, /^Pod "(web|mine)-kt.*" did not start: /);
    assert.match(message, /ImagePullBackOff|ErrImagePull/);
    assert.match(hint, /registry\.invalid\/nope:1.*--image/);
    assert.match(details.join("\n"), /Failed to pull image/);
    await assertNoTrace({ namespace, laptop, before });
  });
}

Deno.test("a pod that no node can take is given up after --podCreationTimeout, with the scheduler's reason", async () => {
  const cluster = await openTestCluster();
  await using namespace = await cluster.demo();
  await using laptop = await Laptop.open(cluster, namespace);
  const before = await namespace.snapshot();
  const result = await laptop.run([
    "exchange",
    "web",
    "--expose",
    `${laptop.demo.port}:80`,
    "--nodeSelector",
    "disk=none-such",
    "--podCreationTimeout",
    "5",
  ]);
  assert.equal(result.error?.["code"], "POD_NOT_READY", result.stdout);
  assert.equal(result.code, 5);
  assert.match(result.error!["message"], /within 5 s, Unschedulable: /);
  assert.match(result.error!["hint"], /--podCreationTimeout/);
  await assertNoTrace({ namespace, laptop, before });
});

Deno.test("a quota that is used up is told with a way out, and nothing is left", async () => {
  const cluster = await openTestCluster();
  await using namespace = await cluster.demo();
  await namespace.apply(JSON.stringify({
    apiVersion: "v1",
    kind: "ResourceQuota",
    metadata: { name: "full" },
    spec: { hard: { pods: "1" } },
  }));
  await using laptop = await Laptop.open(cluster, namespace);
  await eventually("the quota's controller has counted the pod", async () => {
    const path = "jsonpath={.status.used.pods}";
    const get = ["get", "resourcequota/full", "-o", path];
    return succeeded(await namespace.kubectl(get)) === "1";
  });
  const before = await namespace.snapshot();
  const shadows = [
    ["exchange", "web"],
    ["exchange", "web", "--useShadowDeployment"],
    ["preview", "mine"],
  ];
  for (const verb of shadows) {
    const result = await laptop.run([
      ...verb,
      "--expose",
      `${laptop.demo.port}:80`,
    ]);
    assert.equal(result.error?.["code"], "QUOTA_EXCEEDED", result.stdout);
    assert.equal(result.code, 5);
    assert.match(result.error!["message"], /exceeded quota: full/);
    assert.match(result.error!["hint"], /ResourceQuota/);
    await assertNoTrace({ namespace, laptop, before });
  }
});

Deno.test("a service account that is not there is named with a way out, and nothing is left", async () => {
  const cluster = await openTestCluster();
  await using namespace = await cluster.namespace();
  await using laptop = await Laptop.open(cluster, namespace);
  const before = await namespace.snapshot();
  const result = await laptop.run([
    ...["preview", "mine", "--expose", `${laptop.demo.port}:80`],
    ...["--serviceAccount", "robot"],
  ]);
  assert.equal(
    result.error?.["code"],
    "SERVICE_ACCOUNT_NOT_FOUND",
    result.stdout,
  );
  assert.equal(result.code, 5);
  const { message, hint } = result.error;
  assert.match(message, /there is no service account "robot"$/);
  assert.match(hint, /create serviceaccount robot -n .*--serviceAccount/);
  await assertNoTrace({ namespace, laptop, before });
});

Deno.test("a quota that wants limits is told with --podQuota, which satisfies it", async () => {
  const cluster = await openTestCluster();
  await using namespace = await cluster.demo();
  await namespace.apply(JSON.stringify({
    apiVersion: "v1",
    kind: "ResourceQuota",
    metadata: { name: "accounted" },
    spec: { hard: { "limits.cpu": "2", "limits.memory": "2Gi" } },
  }));
  await using laptop = await Laptop.open(cluster, namespace);
  const before = await namespace.snapshot();
  const args = ["exchange", "web", "--expose", `${laptop.demo.port}:80`];
  const result = await laptop.run(args);
  assert.equal(result.error?.["code"], "QUOTA_EXCEEDED", result.stdout);
  assert.match(result.error!["message"], /must specify limits/);
  assert.match(result.error!["hint"], /--podQuota/);
  await assertNoTrace({ namespace, laptop, before });

  await using exchange = laptop.start([...args, "--podQuota", "0.5c,256m"]);
  await exchange.ready();
  assert.equal((await exchange.stop()).code, 0);
  await assertNoTrace({ namespace, laptop, before });
});

Deno.test("a missing right is named as the rule to ask for, whichever step needs it", async () => {
  const cluster = await openTestCluster();
  await using namespace = await cluster.demo();
  await using laptop = await Laptop.open(cluster, namespace);
  const kubeconfig = await makeAccount(cluster, namespace, {
    name: "nobody",
    dir: laptop.stateHome,
  });
  const role = (rules: unknown[]) =>
    namespace.apply(JSON.stringify({
      apiVersion: "v1",
      kind: "List",
      items: [{
        apiVersion: "rbac.authorization.k8s.io/v1",
        kind: "Role",
        metadata: { name: "nobody" },
        rules,
      }, {
        apiVersion: "rbac.authorization.k8s.io/v1",
        kind: "RoleBinding",
        metadata: { name: "nobody" },
        roleRef: {
          apiGroup: "rbac.authorization.k8s.io",
          kind: "Role",
          name: "nobody",
        },
        subjects: [{ kind: "ServiceAccount", name: "nobody" }],
      }],
    }));
  const core = (resources: string[], verbs: string[]) => ({
    apiGroups: [""],
    resources,
    verbs,
  });
  const args = ["exchange", "web", "--expose", `${laptop.demo.port}:80`];
  const reading = [
    core(["services"], ["get", "list", "watch", "patch", "create", "delete"]),
    core(["pods"], ["get", "list", "watch"]),
  ];
  const stages = [
    { rules: [], wanted: 'resources: ["services"], verbs: ["get"]' },
    { rules: reading, wanted: 'resources: ["pods"], verbs: ["create"]' },
    {
      rules: [...reading, core(["pods"], ["create", "patch", "delete"])],
      wanted: /resources: \["(configmaps|secrets)"\], verbs: \["create"\]/,
    },
    {
      rules: [
        ...reading,
        core(["configmaps", "secrets"], ["create"]),
        core(["pods"], ["create", "patch", "delete"]),
      ],
      wanted: 'resources: ["pods/portforward"], verbs: ["get", "create"]',
    },
  ];
  for (const { rules, wanted } of stages) {
    await role(rules);
    const before = await namespace.snapshot();
    const result = await laptop.run(args, { kubeconfig });
    assert.equal(result.error?.["code"], "RBAC_FORBIDDEN", result.stdout);
    assert.equal(result.code, 4, result.stdout);
    const hint: string = result.error!["hint"];
    assert.match(hint, /^Missing rule: `apiGroups: \[""\], /);
    if (typeof wanted === "string") assert.ok(hint.includes(wanted), hint);
    else assert.match(hint, wanted);
    await assertNoTrace({ namespace, laptop, before });
  }
});
