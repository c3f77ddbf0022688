// What a cluster demands of objects and pods: policies, limits, sidecars, nodes set apart.
import assert from "node:assert/strict";
import {
  openTestCluster,
  succeeded,
  type TestCluster,
  type TestNamespace,
} from "./cluster.ts";
import { assertNoTrace, eventually, Laptop } from "./laptop.ts";

const TAINT = { key: "dedicated", value: "gpu", effect: "NoSchedule" };
const restricted = {
  allowPrivilegeEscalation: false,
  capabilities: { drop: ["ALL"] },
  runAsNonRoot: true,
  runAsUser: 1000,
  seccompProfile: { type: "RuntimeDefault" },
};

/** A Service `web` whose one pod may run on a tainted node, and has to on the node that there is. */
async function applyWorkload(
  { namespace, hostname }: { namespace: TestNamespace; hostname: string },
): Promise<void> {
  const labels = { app: "web", team: "green" };
  await namespace.apply(JSON.stringify({
    apiVersion: "v1",
    kind: "List",
    items: [{
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "web", labels },
      spec: {
        terminationGracePeriodSeconds: 0,
        nodeSelector: { "kubernetes.io/hostname": hostname },
        tolerations: [{ ...TAINT, operator: "Equal" }],
        containers: [{
          name: "web",
          image: "localhost/busybox:1",
          imagePullPolicy: "Never",
          command: ["httpd", "-f", "-p", "8080"],
          securityContext: restricted,
        }],
      },
    }, {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "web", labels },
      spec: {
        selector: { app: "web" },
        ports: [{ port: 80, targetPort: 8080 }],
      },
    }],
  }));
  succeeded(
    await namespace.kubectl(["wait", "--for=condition=Ready", "pod/web"]),
  );
}

/** On this namespace alone: all that is made needs a label, and pods labelled `sidecar` are given one. */
function policies(namespace: string): unknown[] {
  const selector = {
    namespaceSelector: {
      matchLabels: { "kubernetes.io/metadata.name": namespace },
    },
  };
  const rule = (resources: string[]) => ({
    apiGroups: ["", "apps"],
    apiVersions: ["v1"],
    operations: ["CREATE"],
    resources,
  });
  const made = ["pods", "services", "configmaps", "secrets", "deployments"];
  const group = "admissionregistration.k8s.io/v1";
  const sidecar = `[JSONPatch{op: "add", path: "/spec/initContainers", value: [
    Object.spec.initContainers{
      name: "injected", image: "localhost/busybox:1", imagePullPolicy: "Never",
      restartPolicy: "Always", command: ["sleep", "3600"],
      readinessProbe: Object.spec.initContainers.readinessProbe{
        periodSeconds: 1,
        exec: Object.spec.initContainers.readinessProbe.exec{command: [object.metadata.labels["sidecar"]]}
      },
      securityContext: Object.spec.initContainers.securityContext{
        allowPrivilegeEscalation: false,
        capabilities: Object.spec.initContainers.securityContext.capabilities{drop: ["ALL"]}
      }
    }]}]`;
  return [
    {
      apiVersion: group,
      kind: "ValidatingAdmissionPolicy",
      metadata: { name: `${namespace}-team` },
      spec: {
        matchConstraints: { ...selector, resourceRules: [rule(made)] },
        validations: [{
          expression:
            "has(object.metadata.labels) && 'team' in object.metadata.labels",
          message: "label team is required",
        }],
      },
    },
    {
      apiVersion: group,
      kind: "ValidatingAdmissionPolicyBinding",
      metadata: { name: `${namespace}-team` },
      spec: { policyName: `${namespace}-team`, validationActions: ["Deny"] },
    },
    {
      apiVersion: group,
      kind: "MutatingAdmissionPolicy",
      metadata: { name: `${namespace}-sidecar` },
      spec: {
        reinvocationPolicy: "Never",
        matchConstraints: { ...selector, resourceRules: [rule(["pods"])] },
        matchConditions: [{
          name: "wanted",
          expression:
            "has(object.metadata.labels) && 'sidecar' in object.metadata.labels",
        }],
        mutations: [{
          patchType: "JSONPatch",
          jsonPatch: { expression: sidecar },
        }],
      },
    },
    {
      apiVersion: group,
      kind: "MutatingAdmissionPolicyBinding",
      metadata: { name: `${namespace}-sidecar` },
      spec: { policyName: `${namespace}-sidecar` },
    },
  ];
}

/** Until they are deleted; returns when the server obeys them, and is over when it no longer does. */
async function withPolicies(
  cluster: TestCluster,
  namespace: TestNamespace,
): Promise<AsyncDisposable> {
  const items = policies(namespace.name);
  const list = JSON.stringify({ apiVersion: "v1", kind: "List", items });
  const apply = await cluster.kubectl(["apply", "-f", "-"], { stdin: list });
  succeeded(apply);
  const isObeyed = async (args: string[], text: RegExp) => {
    const dry = ["run", "x", "--image=x", "--dry-run=server", "-o", "json"];
    const { stdout, stderr } = await namespace.kubectl([...dry, ...args]);
    return text.test(stdout + stderr);
  };
  const refuses = () => isObeyed([], /label team is required/);
  const injects = () => isObeyed(["-l", "team=x,sidecar=true"], /"injected"/);
  const policiesGo = {
    async [Symbol.asyncDispose]() {
      await cluster.kubectl(["delete", "-f", "-"], { stdin: list });
      await eventually(
        "the policies are no longer obeyed",
        async () => !await refuses() && !await injects(),
      );
    },
  };
  try {
    await eventually(
      "the policies are obeyed",
      async () => await refuses() && await injects(),
    );
  } catch (error) {
    await policiesGo[Symbol.asyncDispose]();
    throw error;
  }
  return policiesGo;
}

Deno.test("what a cluster demands", async (t) => {
  const cluster = await openTestCluster();
  await using namespace = await cluster.namespace();
  await using laptop = await Laptop.open(cluster, namespace);
  const hostname = succeeded(
    await cluster.kubectl([
      "get",
      "nodes",
      "-o",
      "jsonpath={.items[0].metadata.labels.kubernetes\\.io/hostname}",
    ]),
  );
  await applyWorkload({ namespace, hostname });
  const before = await namespace.snapshot();
  const expose = ["--expose", `${laptop.demo.port}:80`];
  // deno-lint-ignore no-explicit-any -- open JSON of the API
  const made = async (kinds: string): Promise<any[]> => {
    const args = ["get", kinds, "-l", "control-by=kt", "-o", "json"];
    return JSON.parse(succeeded(await namespace.kubectl(args))).items;
  };
  // deno-lint-ignore no-explicit-any -- open JSON of the API
  const shadowOf = async (): Promise<any> => {
    const args = ["get", "pods", "-l", "kt-target", "-o", "json"];
    return JSON.parse(succeeded(await namespace.kubectl(args))).items[0];
  };

  await t.step("our pod may run where the workload's may", async () => {
    await using exchange = laptop.start(["exchange", "web", ...expose]);
    await exchange.ready();
    const { spec } = await shadowOf();
    assert.equal(spec.nodeSelector["kubernetes.io/hostname"], hostname);
    const [own] = spec.tolerations;
    assert.deepEqual(own, { ...TAINT, operator: "Equal" });
    assert.equal((await exchange.stop()).code, 0);
  });

  await t.step(
    "the labels and annotations of the user are on all that is made",
    async () => {
      const wanted = [
        ...["--withLabel", "team=blue", "--withAnnotation", "example.com/a=b"],
        "--useShadowDeployment",
      ];
      await using mesh = laptop.start(["mesh", "web", ...expose, ...wanted]);
      await mesh.ready();
      const all = await made("services,configmaps,secrets,pods,deployments");
      const kinds = new Set(all.map(({ kind }) => kind));
      assert.equal(kinds.size, 5, [...kinds].join());
      for (const { kind, metadata: { name, labels, annotations } } of all) {
        assert.equal(labels.team, "blue", `${kind} ${name}`);
        assert.equal(annotations["example.com/a"], "b", `${kind} ${name}`);
      }
      assert.equal((await mesh.stop()).code, 0);
      await assertNoTrace({ namespace, laptop, before });
    },
  );

  await t.step({
    // MutatingAdmissionPolicy; the older servers' refusals are held by unit tests
    name: "policies, PodSecurity restricted and an injected native sidecar",
    ignore: cluster.minor < 36,
    fn: async (t) => {
      await using _ = await withPolicies(cluster, namespace);
      const label = "pod-security.kubernetes.io/enforce=restricted";
      succeeded(
        await cluster.kubectl(["label", "namespace", namespace.name, label]),
      );
      await t.step(
        "a refusal names the policy, and the option that meets it",
        async () => {
          for (const verb of [["exchange", "web"], ["preview", "mine"]]) {
            const result = await laptop.run([...verb, ...expose]);
            assert.equal(result.error?.["code"], "ADMISSION_DENIED");
            assert.equal(result.code, 5);
            const { message, hint } = result.error!;
            assert.ok(message.includes(`'${namespace.name}-team'`), message);
            assert.match(message, /label team is required/);
            assert.match(hint, /--withLabel/);
          }
          await assertNoTrace({ namespace, laptop, before });
        },
      );
      await t.step("a pod with it works", async () => {
        for (const verb of [["exchange", "web"], ["mesh", "web"]]) {
          await using session = laptop.start([
            ...verb,
            ...expose,
            ...["--withLabel", "team=blue,sidecar=true"],
          ]);
          await session.ready();
          const { spec } = await shadowOf();
          assert.equal(spec.initContainers[0].name, "injected");
          assert.equal((await session.stop()).code, 0);
        }
      });
      await t.step("a sidecar that is never ready is named", async () => {
        const result = await laptop.run([
          ...["exchange", "web", ...expose, "--podCreationTimeout", "5"],
          ...["--withLabel", "team=blue,sidecar=false"],
        ]);
        assert.equal(result.error?.["code"], "POD_NOT_READY", result.stdout);
        const { message, hint, details } = result.error!;
        assert.match(message, /container "injected" runs, but is not ready$/);
        assert.match(hint, /--withAnnotation/);
        assert.match(details.join("\n"), /Unhealthy: Readiness probe failed/);
        await assertNoTrace({ namespace, laptop, before });
      });
    },
  });

  await t.step(
    "want of memory is told at once, with whose limit it is",
    async () => {
      await namespace.apply(JSON.stringify({
        apiVersion: "v1",
        kind: "LimitRange",
        metadata: { name: "small" },
        spec: {
          limits: [{
            type: "Container",
            default: { memory: "20Mi" },
            defaultRequest: { memory: "10Mi" },
          }],
        },
      }));
      const args = ["exchange", "web", ...expose];
      const result = await laptop.run(args);
      assert.equal(result.error?.["code"], "POD_NOT_READY", result.stdout);
      const { message, hint } = result.error!;
      assert.match(
        message,
        /killed for lack of memory \(OOMKilled; its limit is 20Mi, from LimitRange "small"\)$/,
      );
      assert.match(hint, /--podQuota/);
      await using exchange = laptop.start([...args, "--podQuota", "0.2c,256m"]);
      await exchange.ready();
      assert.equal((await exchange.stop()).code, 0);
    },
  );
});
