// The dead-man's switch: nobody comes back to a killed laptop's session, and its own Shadow Pod takes everything
// back. What takes its time runs in namespaces beside each other.
import assert from "node:assert/strict";
import { makeAccount } from "./account.ts";
import {
  type ClientPod,
  openTestCluster,
  succeeded,
  type TestCluster,
  type TestNamespace,
} from "./cluster.ts";
import { grant } from "./grant.ts";
import { assertNoTrace, eventually, Laptop, reaches } from "./laptop.ts";
import type { KtctlProcess } from "./ktctl_process.ts";
import { oursAreGone } from "./ours_are_gone.ts";
import { gapsOf, type LoggedRequest, startRequestLog } from "./request_log.ts";

const AFTER_S = 6;
const SWITCH = ["--restoreAfter", `${AFTER_S}s`];
/** So long after that everything may take. */
const MOST_S = 60;
/** So long the Service may be dead meanwhile. */
const MOST_DEAD_S = 5;

/** A namespace with the demo, and a laptop that has not done anything yet. */
class Lab implements AsyncDisposable {
  readonly #stack = new AsyncDisposableStack();
  private constructor(
    readonly cluster: TestCluster,
    readonly namespace: TestNamespace,
    readonly client: ClientPod,
    readonly laptop: Laptop,
    readonly before: string,
  ) {}

  static async open(
    { replicas = 1 }: { replicas?: number } = {},
  ): Promise<Lab> {
    const cluster = await openTestCluster();
    await using stack = new AsyncDisposableStack();
    const namespace = stack.use(await cluster.demo({ replicas }));
    const client = await namespace.client();
    const laptop = stack.use(await Laptop.open(cluster, namespace));
    const before = await namespace.snapshot();
    const lab = new Lab(cluster, namespace, client, laptop, before);
    lab.#stack.use(stack.move());
    return lab;
  }

  start(args: readonly string[], laptop = this.laptop): KtctlProcess {
    const expose = ["--expose", `${laptop.demo.port}:80`];
    return this.#stack.use(laptop.start([...args, ...expose]));
  }

  /** Kills the laptops and waits, with nobody's help, until the namespace is as it was. */
  async restoresItself(
    what: string,
    ...running: KtctlProcess[]
  ): Promise<void> {
    await Promise.all(running.map((one) => one.stop("SIGKILL")));
    await this.restores(what);
  }

  /** Waits for that, after the laptops are gone. */
  async restores(what: string): Promise<void> {
    const start = performance.now();
    await oursAreGone(this.namespace, (AFTER_S + MOST_S) * 1_000);
    await eventually(
      `${what}: the namespace is as before`,
      async () => await this.namespace.snapshot() === this.before,
    );
    const seconds = (performance.now() - start) / 1_000 - AFTER_S;
    console.log(
      `${what}: restored ${seconds.toFixed(1)} s after the time was over`,
    );
    assert.ok(seconds <= MOST_S, `${what}: restored after ${seconds} s`);
  }

  /** The laptop's own next command finds nothing to undo, and takes nothing away. */
  async staysSo(): Promise<void> {
    const { namespace, laptop, before } = this;
    const { code, stdout } = await laptop.run(["clean"]);
    assert.equal(code, 0, stdout);
    await assertNoTrace({ namespace, laptop, before });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}

const KILLED: Readonly<
  Record<string, { args: readonly string[]; replicas?: number }>
> = {
  "exchange": { args: ["exchange", "web"] },
  "exchange --mode scale": {
    args: ["exchange", "web", "--mode", "scale"],
    replicas: 2,
  },
};

async function isKilled(what: string): Promise<void> {
  const { args, replicas } = KILLED[what]!;
  await using lab = await Lab.open(replicas ? { replicas } : {});
  const { client } = lab;
  const running = lab.start([...args, ...SWITCH]);
  await running.ready();
  await reaches(client);
  const log = await startRequestLog(client, 120);
  await lab.restoresItself(what, running);
  await reaches(client, { name: "web-" });
  await log.end();
  isAnswered(what, await log.read());
  await lab.staysSo();
}

function isAnswered(what: string, requests: readonly LoggedRequest[]): void {
  const most = Math.max(0, ...gapsOf(requests));
  console.log(`${what}: no answer for ${most.toFixed(1)} s at most`);
  assert.ok(most <= MOST_DEAD_S, `${what}: dead for ${most} s`);
}

/** The last one's agent takes the router away, which stays half a minute for connections on their way. */
async function areKilledMeshing(): Promise<void> {
  await using lab = await Lab.open();
  await using other = await Laptop.open(lab.cluster, lab.namespace, "other");
  const mesh = (mark: string, laptop?: Laptop) =>
    lab.start(["mesh", "web", "--versionMark", mark, ...SWITCH], laptop);
  const alice = mesh("alice");
  await alice.ready(); // who sets up at the same time waits for the lock
  const bob = mesh("bob", other);
  await bob.ready();
  const log = await startRequestLog(lab.client, 120);
  await lab.restoresItself("mesh", alice, bob);
  await log.end();
  isAnswered("mesh", await log.read());
  await lab.staysSo();
  const { code, stdout } = await other.run(["clean"]);
  assert.equal(code, 0, stdout);
  assert.deepEqual(other.journals(), []);
}

/** Stops the laptop, as a lid that is closed, until everything is as before; then it goes on. */
async function sleepTooLong(
  lab: Lab,
  what: string,
  running: KtctlProcess,
): Promise<void> {
  running.kill("SIGSTOP");
  await lab.restores(what);
  running.kill("SIGCONT");
}

async function comesBackTooLate(): Promise<void> {
  await using lab = await Lab.open();
  const { client, namespace, laptop, before } = lab;
  const running = lab.start(["exchange", "web", ...SWITCH]);
  await running.ready();
  await reaches(client);
  await sleepTooLong(lab, "exchange, asleep", running);
  const { code, error, stdout } = await running.ended();
  assert.equal(code, 9, stdout);
  assert.equal(error?.["code"], "RESTORED_MEANWHILE", stdout);
  await assertNoTrace({ namespace, laptop, before });
}

async function takesAgain(verb: string[], url: string): Promise<void> {
  await using lab = await Lab.open();
  const { client, namespace, laptop, before } = lab;
  const running = lab.start([...verb, ...SWITCH, "--takeAgain"]);
  await running.ready();
  await reaches(client, { url });
  await sleepTooLong(lab, `${verb[0]} --takeAgain, asleep`, running);
  await running.event(({ code }) => code === "TAKEN_AGAIN");
  await reaches(client, { url });
  const { code, stdout } = await running.stop();
  assert.equal(code, 0, stdout);
  await assertNoTrace({ namespace, laptop, before });
}

/** Once for a moment, and then attached for longer than the time. */
async function isBackInTime(): Promise<void> {
  await using lab = await Lab.open();
  const { client, namespace, laptop, before } = lab;
  const running = lab.start(["exchange", "web", "--restoreAfter", "20s"]);
  await running.ready();
  await reaches(client);
  running.kill("SIGSTOP");
  await reaches(client, { name: "web-" });
  running.kill("SIGCONT");
  await pause(22_000);
  await reaches(client, { withinMs: 5_000 });
  assert.equal((await running.stop()).code, 0);
  await assertNoTrace({ namespace, laptop, before });
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

Deno.test("a killed laptop's session is taken back by its Shadow Pod; one that comes back too late is told, or takes the Service again", async () => {
  const all = await Promise.allSettled([
    areKilledMeshing(),
    ...Object.keys(KILLED).map(isKilled),
    comesBackTooLate(),
    takesAgain(["exchange", "web"], "http://web/"),
    takesAgain(["preview", "mine"], "http://mine/"),
    isBackInTime(),
  ]);
  const failures = all.flatMap((one) =>
    one.status === "rejected" ? [one.reason] : []
  );
  if (failures.length > 0) throw new AggregateError(failures);
});

Deno.test("who may make no Roles is refused before anything is changed, and gets no token without the switch", async () => {
  await using lab = await Lab.open();
  const { cluster, namespace, laptop } = lab;
  const dir = laptop.stateHome;
  const kubeconfig = await makeAccount(cluster, namespace, {
    ...{ name: "dev", dir },
  });
  await grant(namespace, { account: "dev", role: "exchange" });
  const before = await namespace.snapshot();
  const args = ["exchange", "web", "--expose", `${laptop.demo.port}:80`];
  const refused = await laptop.run([...args, ...SWITCH], { kubeconfig });
  assert.equal(refused.code, 4, refused.stdout);
  assert.equal(refused.error?.["code"], "RESTORE_AFTER_FORBIDDEN");
  assert.match(
    String(refused.error?.["hint"]),
    /ktctl rbac exchange --with restoreAfter/,
  );
  assert.equal(await namespace.snapshot(), before);
  assert.deepEqual(laptop.journals(), []);

  await using running = laptop.start(args, { kubeconfig });
  const ready = await running.ready();
  assert.match(String(ready["hint"]), /--restoreAfter/);
  const get = ["get", "pods", "-l", "kt-role=shadow-exchange", "-o", "json"];
  const [pod] = JSON.parse(succeeded(await namespace.kubectl(get))).items;
  assert.equal(pod.spec.serviceAccountName, "default");
  const mounts = pod.spec.containers[0].volumeMounts.map((
    { mountPath }: { mountPath: string },
  ) => mountPath);
  assert.deepEqual(mounts, ["/ktctl/agent", "/ktctl/keys", "/tmp"]);
  assert.equal((await running.stop()).code, 0);
  await assertNoTrace({ namespace, laptop, before });
});
