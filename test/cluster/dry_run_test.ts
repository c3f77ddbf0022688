// What `--dryRun` says of each verb, that the server agrees, and that nothing at all is changed by it.
import assert from "node:assert/strict";
import { parseAllDocuments } from "yaml";
import { makeAccount } from "./account.ts";
import { openTestCluster, succeeded, type TestNamespace } from "./cluster.ts";
import { grant } from "./grant.ts";
import { Laptop } from "./laptop.ts";
import { ktctl, type KtctlResult } from "./ktctl_process.ts";
import { exchangeLeftover } from "./original_leftovers.ts";

/** Every object of a namespace with its version; of pods, which live, that they are the same. */
async function versions(namespace: TestNamespace): Promise<string[]> {
  const kinds = "services,deployments,replicasets,pods,configmaps,secrets," +
    "serviceaccounts,roles,rolebindings,poddisruptionbudgets";
  const list = succeeded(
    await namespace.kubectl(["get", kinds, "-o", "json"]),
  );
  const items: {
    kind: string;
    metadata: Record<string, string>;
  }[] = JSON.parse(list).items;
  return items.map(({ kind, metadata: { name, uid, resourceVersion } }) =>
    `${kind} ${name} ${kind === "Pod" ? uid : resourceVersion}`
  ).sort();
}

interface Planned {
  action: string;
  kind: string;
  name: string;
  isUndone?: boolean;
  diff?: string;
  after?: Record<string, unknown>;
}

function planOf(result: KtctlResult) {
  assert.equal(result.code, 0, result.stdout + result.stderr);
  const plan = result.events.find(({ event }) => event === "plan");
  assert.ok(plan, result.stdout);
  const objects: Planned[] = plan["objects"];
  const closed = result.events.at(-1);
  assert.deepEqual([closed?.event, closed?.["state"]], ["closed", "unchanged"]);
  return {
    plan,
    objects,
    did: (action: string) =>
      objects.filter((one) => one.action === action)
        .map(({ kind, name }) =>
          `${kind} ${name.replace(/-[a-z0-9]{5}(?=-|$)/g, "-*")}`
        ),
    codes: result.events.filter(({ event }) => event === "warning")
      .map(({ code }) => code as string),
  };
}

Deno.test("a dry run tells what each verb would do, and changes nothing", async (t) => {
  const cluster = await openTestCluster();
  await using namespace = await cluster.namespace();
  await namespace.applyDemo({ replicas: 2 });
  await using laptop = await Laptop.open(cluster, namespace);
  const expose = ["--expose", `${laptop.demo.port}:80`];
  const patch = (...args: string[]) => namespace.kubectl(["patch", ...args]);

  const step = (claim: string, fn: () => Promise<void>) =>
    t.step(claim, async () => {
      const before = await versions(namespace);
      await fn();
      assert.deepEqual(await versions(namespace), before);
      assert.deepEqual(laptop.journals(), []);
    });
  const dryRun = async (...args: string[]) =>
    planOf(await laptop.run([...args, "--dryRun"]));
  /** The manifests, which the server takes. */
  const yamlOf = async (...args: string[]) => {
    const { code, stdout, stderr } = await laptop.run(
      [...args, "--dryRun", "--output", "yaml"],
      { isHuman: true },
    );
    assert.equal(code, 0, stdout + stderr);
    const apply = ["apply", "--dry-run=server", "-f", "-"];
    succeeded(await namespace.kubectl(apply, { stdin: stdout }));
    return {
      text: stdout,
      objects: parseAllDocuments(stdout).map((one) => one.toJS()),
    };
  };

  await step("exchange by the selector", async () => {
    const { objects, plan, did } = await dryRun("exchange", "web", ...expose);
    assert.deepEqual(did("create").sort(), [
      "ConfigMap kept-web-kt-exchange-*-*",
      "ConfigMap web-kt-exchange-*-*",
      "Pod web-kt-exchange-*",
      "ReplicaSet kept-web-kt-exchange-*",
      "Secret kept-web-kt-exchange-*-*",
      "Secret web-kt-exchange-*-*",
      "Service web-kt-stuntman",
    ]);
    assert.deepEqual(did("change"), ["Service web"]);
    const { diff = "" } = objects.find(({ action }) => action === "change")!;
    assert.match(diff, /^\+ {4}kt-role: shadow-exchange$/m);
    assert.match(diff, /^- {4}app: web$/m);
    assert.match(diff, /^\+ {4}kt-selector: /m);
    assert.doesNotMatch(diff, /kt-lock/);
    assert.ok(objects.every(({ isUndone }) => isUndone));
    assert.match(
      plan["undone"].join("\n"),
      /^switched selector of Service "web"$/m,
    );
  });

  await step(
    "its manifests are taken by the server, and have no key",
    async () => {
      const { text, objects } = await yamlOf("exchange", "web", ...expose);
      assert.equal(objects.length, 8);
      assert.doesNotMatch(text, /PRIVATE KEY|resourceVersion|managedFields/);
      const service = objects.find(({ kind, metadata }) =>
        kind === "Service" && metadata.name === "web"
      );
      assert.equal(service.spec.selector["kt-role"], "shadow-exchange");
      for (const { kind, stringData } of objects) {
        if (kind !== "Secret") continue;
        for (const value of Object.values(stringData)) {
          assert.match(value as string, /^redacted \w{8}$/);
        }
      }
    },
  );

  await step("people read it as text", async () => {
    const { code, stdout } = await laptop.run(
      ["exchange", "web", ...expose, "--dryRun", "--background"],
      { isHuman: true },
    );
    assert.equal(code, 0, stdout);
    assert.match(stdout, /^Dry run of "exchange web" .*nothing is changed\.$/m);
    assert.match(stdout, /^Would create:\n {2}Service web-kt-stuntman$/m);
    assert.match(stdout, /^ {4}[+] {4}kt-role: shadow-exchange$/m);
    assert.match(stdout, /all of the above is as it was/);
  });

  await step("exchange by the replicas", async () => {
    const mode = ["--mode", "scale"];
    const { objects, did } = await dryRun(
      "exchange",
      "web",
      ...expose,
      ...mode,
    );
    assert.deepEqual(did("change").sort(), ["Deployment web", "Service web"]);
    const scaled = objects.find(({ kind }) => kind === "Deployment")!;
    assert.match(scaled.diff!, /^- {2}replicas: 2\n\+ {2}replicas: 1$/m);
    assert.ok(objects.every(({ isUndone }) => isUndone));
    const none = [...mode, "--keepReplicas", "0"];
    const inPlace = await dryRun("exchange", "web", ...expose, ...none);
    assert.deepEqual(inPlace.did("change"), ["Deployment web"]);
    await yamlOf("exchange", "web", ...expose, ...none);
  });

  await step("mesh by a router, and by labels", async () => {
    const mark = ["--versionMark", "demo"];
    const { did, objects, plan } = await dryRun(
      ...["mesh", "web"],
      ...expose,
      ...mark,
    );
    for (
      const one of [
        "ConfigMap web-kt-router",
        "Pod web-kt-router",
        "ReplicaSet web-kt-router",
        "Service web-kt-stuntman",
        "Service web-kt-mesh-demo",
        "Pod web-kt-mesh-demo",
      ]
    ) assert.ok(did("create").includes(one), `${one}: ${did("create")}`);
    assert.deepEqual(did("change"), ["Service web"]);
    assert.ok(objects.every(({ isUndone }) => isUndone));
    assert.match(plan["ready"], /Requests with the header "version: demo"/);
    await yamlOf("mesh", "web", ...expose, ...mark);
    const manual = await dryRun(
      ...["mesh", "web", "--mode", "manual"],
      ...expose,
      ...mark,
    );
    assert.deepEqual(manual.did("change"), []);
    assert.ok(manual.did("create").includes("Pod web-kt-mesh-demo"));
  });

  await step("preview", async () => {
    const { did } = await dryRun("preview", "mine", ...expose);
    assert.ok(did("create").includes("Service mine"));
    const { objects } = await yamlOf(
      ...["preview", "mine", "--useShadowDeployment"],
      ...expose,
    );
    assert.ok(objects.some(({ kind }) => kind === "Deployment"));
  });

  await step("forward, to pods and to an address", async () => {
    const { objects, plan } = await dryRun("forward", "web", ":80");
    assert.deepEqual(objects, []);
    assert.match(plan["machine"][0], /^listen on port \d+ /);
    const address = await dryRun("forward", "example.com:80");
    assert.equal(address.did("create").length, 3);
    await yamlOf("forward", "example.com:80");
  });

  await step("connect, and what it would do to the laptop", async () => {
    const { did, plan } = await dryRun("connect");
    assert.equal(did("create").length, 3);
    const machine = plan["machine"].join("\n");
    assert.match(machine, /^open mode "tun2socks": /m);
    assert.match(machine, /^lead to the cluster what goes to .*\/\d+/m);
    assert.match(machine, /DNS/);
    const socks = ["--disableTunDevice", "--proxyPort", "23456"];
    const shared = await dryRun("connect", "--shareShadow", ...socks);
    assert.ok(
      shared.did("create").includes("Secret kt-connect-shadow-daemon"),
    );
    const { text } = await yamlOf("connect", "--shareShadow", ...socks);
    assert.doesNotMatch(text, /PRIVATE KEY/);
  });

  await step("what is refused, is refused as without it", async () => {
    for (
      const { args, code, error } of [
        { args: ["exchange", "nobody"], code: 5, error: "SERVICE_NOT_FOUND" },
        { args: ["preview", "web"], code: 7, error: "SERVICE_EXISTS" },
        { args: ["forward", "nobody"], code: 5, error: "SERVICE_NOT_FOUND" },
      ]
    ) {
      const flags = args[0] === "forward" ? [] : expose;
      const real = await laptop.run([...args, ...flags]);
      const planned = await laptop.run([...args, ...flags, "--dryRun"]);
      assert.equal(real.code, code, real.stdout);
      assert.equal(real.error?.["code"], error);
      assert.equal(planned.code, code, planned.stdout);
      assert.deepEqual(planned.error?.["code"], error);
    }
    const nowhere = await ktctl(["exchange", "web", "--dryRun", ...expose], {
      kubeconfig: cluster.kubeconfig,
      namespace: "no-such",
    });
    assert.equal(nowhere.error?.["code"], "NAMESPACE_NOT_FOUND");
    const yaml = await laptop.run(["exchange", "web", "--output", "yaml"], {
      isHuman: true,
    });
    assert.equal(yaml.code, 2);
  });

  await t.step("who lacks a right is told so", async () => {
    const dir = laptop.stateHome;
    const few = { name: "few", dir };
    const kubeconfig = await makeAccount(cluster, namespace, few);
    const args = ["exchange", "web", ...expose, "--dryRun"];
    const before = await versions(namespace);
    const refused = await laptop.run(args, { kubeconfig });
    assert.equal(refused.code, 4, refused.stdout);
    assert.equal(refused.error?.["code"], "RBAC_FORBIDDEN");
    assert.deepEqual(await versions(namespace), before);
    await grant(namespace, { account: "few", role: "exchange" });
    const { did, codes } = planOf(await laptop.run(args, { kubeconfig }));
    assert.deepEqual(did("change"), ["Service web"]);
    assert.ok(codes.includes("GOVERNORS_UNKNOWN"), codes.join());
  });

  await t.step("who else keeps the target is named", async () => {
    const argo = {
      metadata: {
        annotations: {
          "argocd.argoproj.io/tracking-id": "shop:/Service:x/web",
        },
      },
    };
    const helm = {
      metadata: {
        labels: { "app.kubernetes.io/managed-by": "Helm" },
        annotations: { "meta.helm.sh/release-name": "shop" },
      },
    };
    const merge = (of: string, what: object) =>
      patch(of, "--type=merge", "-p", JSON.stringify(what));
    succeeded(await merge("service/web", argo));
    succeeded(await merge("deployment/web", helm));
    const budget = ["web", "--selector=app=web", "--min-available=1"];
    succeeded(
      await namespace.kubectl([
        ...["create", "poddisruptionbudget"],
        ...budget,
      ]),
    );
    const before = await versions(namespace);
    const { plan, codes } = await dryRun(
      ...["exchange", "web", "--mode", "scale"],
      ...expose,
    );
    const texts = plan["warnings"].map(({ message }: { message: string }) =>
      message
    ).join("\n");
    assert.match(texts, /^Argo CD \(application "shop"\) keeps Service "web"/m);
    assert.match(texts, /^Helm \(release "shop"\) keeps Deployment "web"/m);
    assert.match(texts, /^PodDisruptionBudget "web" selects the pods/m);
    assert.ok(codes.includes("SERVICE_KEPT_BY"));
    assert.deepEqual(await versions(namespace), before);
  });

  await t.step(
    "who switches the Service back is named within two seconds",
    async () => {
      await using exchange = laptop.start(["exchange", "web", ...expose]);
      await exchange.ready();
      const told = exchange.next(({ code }) => code === "SERVICE_DRIFTED");
      const selector = {
        spec: { selector: { "kt-role": null, "kt-target": null, app: "web" } },
      };
      const begun = performance.now();
      succeeded(
        await patch(
          "service/web",
          "--type=merge",
          "--field-manager=argocd-controller",
          "-p",
          JSON.stringify(selector),
        ),
      );
      const { message } = await told;
      assert.ok(performance.now() - begun < 2_000);
      assert.match(
        message,
        /^Somebody \(argocd-controller\) changed Service "web"/,
      );
      // held by somebody: the plan refuses as the command does
      const held = await laptop.run(["exchange", "web", ...expose, "--dryRun"]);
      assert.equal(held.code, 7, held.stdout);
      const taken = planOf(
        await laptop.run([
          "exchange",
          "web",
          ...expose,
          "--dryRun",
          "--takeOver",
        ]),
      );
      assert.ok(taken.codes.includes("TAKEOVER_PLANNED"));
      assert.equal((await exchange.stop()).code, 0);
    },
  );

  await t.step("recover and clean", async () => {
    await exchangeLeftover(namespace, "web");
    const before = await versions(namespace);
    const recovered = planOf(await laptop.run(["recover", "web", "--dryRun"]));
    assert.deepEqual(recovered.did("change"), ["Service web"]);
    assert.deepEqual(recovered.did("delete"), ["Pod web-kt-exchange-*"]);
    const { code, stdout } = await laptop.run(["clean", "--dryRun"]);
    assert.equal(code, 0, stdout);
    assert.deepEqual(await versions(namespace), before);
    const real = await laptop.run(["recover", "web"]);
    assert.equal(real.code, 0, real.stdout);
  });
});
