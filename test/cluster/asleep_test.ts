// A laptop sleeps while a teammate does something to the Service that it has, or is about to take.
import assert from "node:assert/strict";
import {
  type ClientPod,
  openTestCluster,
  type TestNamespace,
} from "./cluster.ts";
import type { KtctlProcess } from "./ktctl_process.ts";
import { assertNoTrace, eventuallyByRuns, Laptop, reaches } from "./laptop.ts";

class Lab implements AsyncDisposable {
  readonly #stack = new AsyncDisposableStack();
  private constructor(
    readonly namespace: TestNamespace,
    readonly client: ClientPod,
    readonly alice: Laptop,
    readonly bob: Laptop,
    readonly before: string,
  ) {}

  static async open(): Promise<Lab> {
    const cluster = await openTestCluster();
    await using stack = new AsyncDisposableStack();
    const namespace = stack.use(await cluster.demo());
    const open = async (name: string) =>
      stack.use(await Laptop.open(cluster, namespace, name));
    const lab = new Lab(
      namespace,
      await namespace.client(),
      await open("alice"),
      await open("bob"),
      await namespace.snapshot(),
    );
    lab.#stack.use(stack.move());
    return lab;
  }

  exchange(laptop: Laptop, user: string): KtctlProcess {
    const expose = `${laptop.demo.port}:80`;
    return this.#stack.use(
      laptop.start(["exchange", "web", "--expose", expose], { user }),
    );
  }

  /** Alice wakes, is told that the Service is bob's, and ends; he has it as before until he leaves. */
  async wakesTooLate(alice: KtctlProcess, bob: KtctlProcess): Promise<void> {
    alice.kill("SIGCONT");
    const { code, error, stdout } = await alice.ended();
    assert.equal(code, 7, stdout);
    console.log(`woken too late: ${error?.["message"]}`);
    await reaches(this.client, { name: "bob", withinMs: 1_000 });
    assert.equal((await bob.stop()).code, 0);
    const { namespace, before } = this;
    for (const laptop of [this.alice, this.bob]) {
      await assertNoTrace({ namespace, laptop, before });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}

Deno.test("who sleeps while a teammate recovers the Service and exchanges it ends on waking, and takes nothing from them", async () => {
  await using lab = await Lab.open();
  const { alice, bob } = lab;
  const asleep = lab.exchange(alice, "alice");
  await asleep.ready();
  await reaches(lab.client, { name: "alice" });
  asleep.kill("SIGSTOP");
  await eventuallyByRuns("the agent misses alice", async () => {
    const { code, error, stdout } = await bob.run(["recover", "web"]);
    assert.ok(code === 0 || error?.["code"] === "SERVICE_IN_USE", stdout);
    return code === 0;
  });
  const exchange = lab.exchange(bob, "bob");
  await exchange.ready();
  await reaches(lab.client, { name: "bob" });
  await lab.wakesTooLate(asleep, exchange);
});

Deno.test("who falls asleep while they set up loses the lock after 20 s; a teammate is refused all the same, and the set-up goes on upon waking", async () => {
  await using lab = await Lab.open();
  const { namespace, client, before } = lab;
  const asleep = lab.exchange(lab.alice, "alice");
  await asleep.event(({ event, name }) =>
    event === "step" && name === "connect to the Shadow Pod"
  );
  asleep.kill("SIGSTOP");
  const refused = await lab.exchange(lab.bob, "bob").ended();
  assert.equal(refused.error?.["code"], "STUNTMAN_IN_USE", refused.stdout);
  assert.equal(refused.code, 7);
  await reaches(client, { name: "web-", withinMs: 1_000 });
  asleep.kill("SIGCONT");
  await asleep.ready();
  await reaches(client, { name: "alice" });
  assert.equal((await asleep.stop()).code, 0);
  await assertNoTrace({ namespace, laptop: lab.alice, before });
});
