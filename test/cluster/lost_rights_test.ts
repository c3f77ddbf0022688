// A user loses the right to give a Service back while it is exchanged: what keeps it answered stays.
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";
import { makeAccount } from "./account.ts";
import { openTestCluster, succeeded, type TestNamespace } from "./cluster.ts";
import { answerOf, Laptop, reaches, untouched } from "./laptop.ts";

interface Rule {
  resources: string[];
  verbs: string[];
}

/** The rules of a Role in docs/rbac. */
async function documentedRules(role: string): Promise<Rule[]> {
  const url = new URL(`../../docs/rbac/${role}.yaml`, import.meta.url);
  return parse(await Deno.readTextFile(fileURLToPath(url))).rules;
}

async function setRules(
  namespace: TestNamespace,
  rules: readonly Rule[],
): Promise<void> {
  await namespace.apply(JSON.stringify({
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "Role",
    metadata: { name: "dev" },
    rules,
  }));
}

function without(rules: readonly Rule[], resource: string): Rule[] {
  return rules.map((rule) =>
    rule.resources.includes(resource)
      ? { ...rule, verbs: rule.verbs.filter((verb) => verb !== "patch") }
      : rule
  );
}

for (
  const { verb, lost, kept, isAnswered } of [
    {
      verb: ["exchange", "web"],
      lost: "services",
      kept: [
        /^switched selector of Service "web": .*forbid.*; to undo: kubectl patch service web /,
        /^ReplicaSet "kept-web-kt-exchange-\w+": kept, .*; to undo: kubectl delete replicasets\.apps /,
        /^Pod "web-kt-exchange-\w+": kept, /,
        /^Service "web-kt-stuntman": kept, /,
      ],
      isAnswered: true,
    },
    {
      verb: ["exchange", "web", "--mode", "scale"],
      lost: "deployments",
      kept: [
        /^1 of 2 replicas of Deployment "web": .*forbid.*; to undo: kubectl scale deployment web /,
        /^switched selector of Service "web": kept, /,
        /^ReplicaSet "kept-web-kt-exchange-\w+": kept, /,
        /^Pod "web-kt-exchange-\w+": kept, /,
        /^Service "web-kt-stuntman": kept, /,
        /^ConfigMap "web-kt-scaled": kept, /,
      ],
      isAnswered: true,
    },
    {
      verb: ["exchange", "web", "--mode", "scale", "--keepReplicas", "0"],
      lost: "deployments",
      kept: [
        /^zero replicas of Deployment "web": .*forbid.*; to undo: kubectl scale deployment web /,
        /^Pod "web-kt-exchange-\w+": kept, /,
        /^ConfigMap "web-kt-scaled": kept, /,
      ],
      isAnswered: false, // no original pod is left that could
    },
    {
      verb: ["mesh", "web", "--versionMark", "demo"],
      lost: "services",
      kept: [/^place of "version: demo" in the router of Service "web": /],
      isAnswered: true,
    },
  ]
) {
  Deno.test(`${verb.join(" ")} that may not give back what it took leaves what serves it, names it, and clean restores all`, async () => {
    const cluster = await openTestCluster();
    await using namespace = await cluster.demo({
      replicas: verb.includes("scale") ? 2 : 1,
    });
    const client = await namespace.client();
    await using laptop = await Laptop.open(cluster, namespace);
    const kubeconfig = await makeAccount(cluster, namespace, {
      name: "dev",
      dir: laptop.stateHome,
    });
    const rules = [
      ...await documentedRules(verb[0]!),
      ...await documentedRules("clean"),
    ];
    await setRules(namespace, rules);
    const account = `--serviceaccount=${namespace.name}:dev`;
    const bind = ["create", "rolebinding", "dev", "--role=dev", account];
    succeeded(await namespace.kubectl(bind));
    const before = await namespace.snapshot();
    const args = [...verb, "--expose", `${laptop.demo.port}:80`];
    await using running = laptop.start(args, { kubeconfig });
    await running.ready();

    await setRules(namespace, without(rules, lost));
    const { code, error, stdout } = await running.stop();
    assert.equal(code, 9, stdout);
    assert.equal(error?.["code"], "REVERT_FAILED");
    const details: string[] = error!["details"];
    assert.equal(details.length, kept.length, stdout);
    for (const line of kept) {
      assert.ok(details.some((one) => line.test(one)), `${line}: ${stdout}`);
    }
    const closed = running.events.filter(({ event }) => event === "closed");
    assert.deepEqual(closed, running.events.slice(-1));
    assert.equal(closed[0]!["state"], "incomplete");
    assert.equal(laptop.journals().length, 1);
    if (isAnswered) {
      await reaches(client, { name: "web-" });
      for (let i = 0; i < 20; i++) {
        assert.match(await answerOf(client), /^web-/);
      }
    }

    // the sweep obeys the same order
    const early = await laptop.run(["clean"], { kubeconfig });
    const warned = early.events.filter(({ event }) => event === "warning")
      .map(({ code }) => code);
    assert.equal(early.code, 9, early.stdout);
    assert.ok(warned.includes("REVERT_FAILED"), early.stdout);
    assert.ok(kept.length === 1 || warned.includes("KEPT"), early.stdout);
    if (isAnswered) assert.match(await answerOf(client), /^web-/);

    await setRules(namespace, rules);
    const cleaned = await laptop.run(["clean"], { kubeconfig });
    assert.equal(cleaned.code, 0, cleaned.stdout + cleaned.stderr);
    assert.equal(cleaned.events.at(-1)!["state"], "restored");
    await reaches(client, { name: "web-" });
    const rollout = ["rollout", "status", "deployment/web", "--timeout=60s"];
    succeeded(await namespace.kubectl(rollout));
    await untouched(namespace, before);
    assert.deepEqual(laptop.journals(), []);
  });
}
