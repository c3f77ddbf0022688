// What `--dryRun` says of each verb, that the server agrees, and that nothing at all is changed by it.
import assert from "node:assert/strict";
import { parseAllDocuments } from "yaml";
import { docExamples } from "../doc_examples.ts";
import { makeAccount } from "./account.ts";
import { openTestCluster, succeeded, type TestNamespace } from "./cluster.ts";
import { grant } from "./grant.ts";
import { eventually, Laptop } from "./laptop.ts";
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
    type?: string;
    metadata: Record<string, string>;
  }[] = JSON.parse(list).items;
  // the server notes on a token that it was used
  const kept = items.filter(({ type }) =>
    type !== "kubernetes.io/service-account-token"
  );
  return kept.map(({ kind, metadata: { name, uid, resourceVersion } }) =>
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
  await using namespace = await cluster.demo({ replicas: 2 });
  await using laptop = await Laptop.open(cluster, namespace);
  const expose = ["--expose", `${laptop.demo.port}:80`];
  const merge = (of: string, what: object, ...args: string[]) => {
    const patch = ["patch", of, "--type=merge", "-p", JSON.stringify(what)];
    return namespace.kubectl([...patch, ...args]);
  };
  const few = { name: "few", dir: laptop.stateHome };
  const kubeconfig = await makeAccount(cluster, namespace, few);

  const step = (
    claim: string,
    fn: () => Promise<void>,
    { prepare = () => Promise.resolve() }: { prepare?: () => Promise<void> } =
      {},
  ) =>
    t.step(claim, async () => {
      await prepare();
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
    assert.doesNotMatch(stdout, /PRIVATE KEY|resourceVersion|managedFields/);
    return parseAllDocuments(stdout).map((one) => one.toJS());
  };

  await step("exchange by the selector", async () => {
    const args = ["exchange", "web", ...expose];
    const [{ objects, plan, did }, manifests, human] = await Promise.all([
      dryRun(...args),
      yamlOf(...args),
      laptop.run([...args, "--dryRun", "--background"], { isHuman: true }),
    ]);
    assert.deepEqual(did("create").sort(), [
      "ConfigMap kept-web-kt-exchange-*",
      "ConfigMap web-kt-exchange-*",
      "Pod web-kt-exchange-*",
      "ReplicaSet kept-web-kt-exchange-*",
      "Secret kept-web-kt-exchange-*",
      "Secret web-kt-exchange-*",
      "Service web-kt-stuntman",
    ]);
    assert.deepEqual(did("change"), ["Service web"]);
    const { diff = "" } = objects.find(({ action }) => action === "change")!;
    assert.match(diff, /^[+] {4}kt-role: shadow-exchange$/m);
    assert.match(diff, /^- {4}app: web$/m);
    assert.match(diff, /^[+] {4}kt-selector: /m);
    assert.doesNotMatch(diff, /kt-lock/);
    assert.ok(objects.every(({ isUndone }) => isUndone));
    const undone = plan["undone"].join("\n");
    assert.match(undone, /^switched selector of Service "web"$/m);

    assert.equal(manifests.length, 8);
    const service = manifests.find(({ kind, metadata }) =>
      kind === "Service" && metadata.name === "web"
    );
    assert.equal(service.spec.selector["kt-role"], "shadow-exchange");
    const values = manifests.filter(({ kind }) => kind === "Secret")
      .flatMap(({ stringData }) => Object.values(stringData));
    assert.equal(values.length, 4);
    for (const value of values) {
      assert.match(value as string, /^redacted \w{8}$/);
    }

    assert.equal(human.code, 0, human.stdout);
    const text = human.stdout;
    assert.match(text, /^Dry run of "exchange web" .*nothing is changed\.$/m);
    assert.match(text, /^Would create:\n {2}Service web-kt-stuntman$/m);
    assert.match(text, /^ {4}[+] {4}kt-role: shadow-exchange$/m);
    assert.match(text, /all of the above is as it was/);
  });

  await step("exchange by the replicas", async () => {
    const scale = ["exchange", "web", ...expose, "--mode", "scale"];
    const none = [...scale, "--keepReplicas", "0"];
    const [{ objects, did }, inPlace] = await Promise.all([
      dryRun(...scale),
      dryRun(...none),
      yamlOf(...none),
    ]);
    assert.deepEqual(did("change").sort(), ["Deployment web", "Service web"]);
    const scaled = objects.find(({ kind }) => kind === "Deployment")!;
    assert.match(scaled.diff!, /^- {2}replicas: 2\n[+] {2}replicas: 1$/m);
    assert.ok(objects.every(({ isUndone }) => isUndone));
    assert.deepEqual(inPlace.did("change"), ["Deployment web"]);
  });

  await step(
    "mesh by a router, by labels, and by somebody's plugin",
    async () => {
      await using examples = await docExamples();
      const args = ["mesh", "web", ...expose, "--versionMark", "demo"];
      const plugin = ["--plugin", examples.path("by_name.ts")];
      const [{ did, objects, plan }, manual, strange] = await Promise.all([
        dryRun(...args),
        dryRun(...args, "--mode", "manual"),
        dryRun(...args, ...plugin, "--mode", "by-name"),
        yamlOf(...args),
      ]);
      assert.ok(strange.did("create").includes("Service web-demo"));
      assert.ok(strange.objects.every(({ isUndone }) => isUndone));
      assert.match(strange.plan["unknown"].join(), /plugin "by-name"/);
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
      assert.deepEqual(manual.did("change"), []);
      assert.ok(manual.did("create").includes("Pod web-kt-mesh-demo"));
    },
  );

  await step("preview and forward", async () => {
    const [preview, manifests, pods, address] = await Promise.all([
      dryRun("preview", "mine", ...expose),
      yamlOf("preview", "mine", "--useShadowDeployment", ...expose),
      dryRun("forward", "web", ":80"),
      dryRun("forward", "example.com:80"),
    ]);
    assert.ok(preview.did("create").includes("Service mine"));
    assert.ok(manifests.some(({ kind }) => kind === "Deployment"));
    assert.deepEqual(pods.objects, []);
    assert.match(pods.plan["machine"][0], /^listen on port \d+ /);
    assert.equal(address.did("create").length, 3);
  });

  await step("connect, and what it would do to the laptop", async () => {
    const socks = ["--disableTunDevice", "--proxyPort"];
    const [{ did, plan }, shared] = await Promise.all([
      dryRun("connect"),
      dryRun("connect", "--shareShadow", ...socks, "23456"),
      yamlOf("connect", "--shareShadow", ...socks, "23457"),
    ]);
    assert.equal(did("create").length, 3);
    const machine = plan["machine"].join("\n");
    assert.match(machine, /^open mode "tun2socks": /m);
    assert.match(machine, /^lead to the cluster what goes to .*\/\d+/m);
    assert.match(machine, /DNS/);
    assert.ok(
      shared.did("create").includes("Secret kt-connect-shadow-daemon"),
    );
  });

  await step("what is refused, is refused as without it", async () => {
    const cases = [
      { args: ["exchange", "nobody", ...expose], code: 5 },
      { args: ["preview", "web", ...expose], code: 7 },
      { args: ["forward", "nobody"], code: 5 },
      { args: ["recover", "nobody"], code: 5 },
    ];
    await Promise.all(cases.map(async ({ args, code }) => {
      const [real, planned] = await Promise.all([
        laptop.run(args),
        laptop.run([...args, "--dryRun"]),
      ]);
      assert.equal(real.code, code, real.stdout);
      assert.equal(planned.code, code, planned.stdout);
      assert.deepEqual(planned.error?.["code"], real.error?.["code"]);
    }));
    const nowhere = await ktctl(["exchange", "web", "--dryRun", ...expose], {
      kubeconfig: cluster.kubeconfig,
      namespace: "no-such",
    });
    assert.equal(nowhere.error?.["code"], "NAMESPACE_NOT_FOUND");
    const yaml = ["exchange", "web", ...expose, "--output", "yaml"];
    const { code } = await laptop.run(yaml, { isHuman: true });
    assert.equal(code, 2);
  });

  /** Of the rights to Services. */
  const setVerbs = async (...value: string[]) => {
    const patch = [{ op: "replace", path: "/rules/0/verbs", value }];
    const args = ["patch", "role", "ktctl-exchange", "--type=json", "-p"];
    succeeded(await namespace.kubectl([...args, JSON.stringify(patch)]));
  };
  const asFew = () =>
    laptop.run(["exchange", "web", ...expose, "--dryRun"], { kubeconfig });
  await step("who lacks a right is told so", async () => {
    const refused = await asFew();
    assert.equal(refused.code, 4, refused.stdout);
    assert.equal(refused.error?.["code"], "RBAC_FORBIDDEN");
  });

  await step("the rights of the verb are enough", async () => {
    const { did, codes } = planOf(await asFew());
    assert.deepEqual(did("change"), ["Service web"]);
    assert.ok(codes.includes("GOVERNORS_UNKNOWN"), codes.join());
  }, {
    prepare: () => grant(namespace, { account: "few", role: "exchange" }),
  });

  await step("who could not take it back is told so", async () => {
    const { codes, objects } = planOf(await asFew());
    assert.ok(codes.includes("REVERT_FAILED"), codes.join());
    const left = objects.filter(({ isUndone }) => !isUndone);
    assert.deepEqual(left.map(({ name }) => name), ["web-kt-stuntman"]);
  }, {
    prepare: () => setVerbs("get", "list", "watch", "create", "patch"),
  });

  await step("who could not look after it is refused", async () => {
    const refused = await asFew();
    assert.equal(refused.code, 4, refused.stdout);
    assert.match(refused.stdout, /watch/);
  }, {
    prepare: () => setVerbs("get", "list", "create", "patch", "delete"),
  });

  await step("who else keeps the target is named", async () => {
    const scale = ["exchange", "web", ...expose, "--mode", "scale"];
    const { plan, codes } = await dryRun(...scale);
    const texts = plan["warnings"].map(({ message }: { message: string }) =>
      message
    ).join("\n");
    assert.match(texts, /^Argo CD \(application "shop"\) keeps Service "web"/m);
    assert.match(texts, /^Helm \(release "shop"\) keeps Deployment "web"/m);
    assert.match(texts, /^PodDisruptionBudget "web" selects the pods/m);
    assert.ok(codes.includes("SERVICE_KEPT_BY"));
  }, {
    async prepare() {
      const tracked = {
        "argocd.argoproj.io/tracking-id": "shop:/Service:x/web",
      };
      const argo = { metadata: { annotations: tracked } };
      succeeded(await merge("service/web", argo));
      const released = { "meta.helm.sh/release-name": "shop" };
      const helm = { metadata: { annotations: released } };
      succeeded(await merge("deployment/web", helm));
      const version = cluster.minor < 21 ? "v1beta1" : "v1";
      await namespace.apply(JSON.stringify({
        apiVersion: `policy/${version}`,
        kind: "PodDisruptionBudget",
        metadata: { name: "web" },
        spec: { minAvailable: 1, selector: { matchLabels: { app: "web" } } },
      }));
      const counted = "jsonpath={.status.observedGeneration}";
      const get = ["get", "poddisruptionbudget", "web", "-o", counted];
      await eventually(
        "the budget is counted",
        async () => succeeded(await namespace.kubectl(get)) === "1",
      );
    },
  });

  await t.step(
    "who switches the Service back is named within two seconds",
    async () => {
      await using exchange = laptop.start(["exchange", "web", ...expose]);
      await exchange.ready();
      const told = exchange.next(({ code }) => code === "SERVICE_DRIFTED");
      const own = { "kt-role": null, "kt-target": null, app: "web" };
      const toldAt = told.then(() => performance.now());
      toldAt.catch(() => {}); // awaited below
      const argo = "--field-manager=argocd-controller";
      succeeded(
        await merge("service/web", { spec: { selector: own } }, argo),
      );
      // not from its beginning: a kubectl alone may take as long on a busy machine
      const switchedAt = performance.now();
      const { message } = await told;
      const tookMs = await toldAt - switchedAt;
      assert.ok(tookMs < 2_000, `after ${tookMs} ms`);
      assert.match(message, /^Somebody \(argocd-controller\) changed Service/);
      // held by somebody: the plan refuses as the command does
      const [held, taken] = await Promise.all([
        laptop.run(["exchange", "web", ...expose, "--dryRun"]),
        dryRun("exchange", "web", ...expose, "--takeOver"),
      ]);
      assert.equal(held.code, 7, held.stdout);
      assert.ok(taken.codes.includes("TAKEOVER_PLANNED"), taken.codes.join());
      assert.deepEqual(taken.did("change"), ["Service web"]);
      assert.equal((await exchange.stop()).code, 0);
    },
  );

  await step("recover and clean", async () => {
    const [recovered, cleaned] = await Promise.all([
      dryRun("recover", "web"),
      dryRun("clean"),
    ]);
    for (const { did } of [recovered, cleaned]) {
      assert.deepEqual(did("change"), ["Service web"]);
      assert.deepEqual(did("delete").sort(), [
        "ConfigMap web-kt-exchange-*",
        "Pod web-kt-exchange-*",
      ]);
    }
  }, {
    prepare: () => exchangeLeftover(namespace, "web"),
  });
});
