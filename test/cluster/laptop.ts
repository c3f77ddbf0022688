// A developer's laptop: its own program to send traffic to, and its own place for ktctl's journals.
import assert from "node:assert/strict";
import { join } from "node:path";
import type { ClientPod, TestCluster, TestNamespace } from "./cluster.ts";
import { ktctl, KtctlProcess, type KtctlResult } from "./ktctl_process.ts";
import { type SharedDemo, sharedDemo } from "./shared_demo.ts";

export interface LaptopOptions {
  readonly kubeconfig?: string;
  readonly cwd?: string;
  /** Who sits at the laptop, as others see it. */
  readonly user?: string;
  /** A command that runs ktctl: where another disk is, or with another clock. */
  readonly within?: readonly string[];
  /** Where ktctl keeps its journals. @default the laptop's */
  readonly stateHome?: string;
  /** Its output is for people, not JSON. */
  readonly isHuman?: boolean;
}

export class Laptop implements AsyncDisposable {
  /** That of all laptops of its name: a test that ends it starts one of its own. */
  readonly demo: SharedDemo;
  readonly stateHome: string;
  #namespace: string;
  #kubeconfig: string;

  private constructor(
    demo: SharedDemo,
    namespace: TestNamespace,
    kubeconfig: string,
  ) {
    this.demo = demo;
    this.stateHome = Deno.makeTempDirSync({ prefix: "ktctl-laptop-" });
    this.#namespace = namespace.name;
    this.#kubeconfig = kubeconfig;
  }

  static async open(
    cluster: TestCluster,
    namespace: TestNamespace,
    name = "laptop",
  ): Promise<Laptop> {
    const demo = await sharedDemo(name);
    return new Laptop(demo, namespace, cluster.kubeconfig);
  }

  /** Where ktctl keeps added plugins, in a folder of its own. */
  get dataHome(): string {
    return `${this.stateHome}/data`;
  }

  /** Starts ktctl in the namespace. */
  start(args: readonly string[], options: LaptopOptions = {}): KtctlProcess {
    return new KtctlProcess(args, this.#options(options));
  }

  /** Runs ktctl in the namespace to its end. */
  run(
    args: readonly string[],
    options: LaptopOptions = {},
  ): Promise<KtctlResult> {
    return ktctl(args, this.#options(options));
  }

  /** What is recorded as still to be undone. */
  journals(): string[] {
    const dir = join(this.stateHome, "ktctl", "sessions");
    try {
      return [...Deno.readDirSync(dir)].map(({ name }) => name);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return [];
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.stateHome, { recursive: true });
  }

  #options(
    {
      kubeconfig = this.#kubeconfig,
      stateHome = this.stateHome,
      cwd,
      user,
      within,
      isHuman: human,
    }: LaptopOptions,
  ) {
    return {
      kubeconfig,
      namespace: this.#namespace,
      env: {
        XDG_STATE_HOME: stateHome,
        XDG_DATA_HOME: this.dataHome,
        XDG_CONFIG_HOME: `${this.stateHome}/config`,
        ...(user === undefined ? {} : { SUDO_USER: user }),
      },
      ...(cwd === undefined ? {} : { cwd }),
      ...(within === undefined ? {} : { within }),
      ...(human === undefined ? {} : { human }),
    };
  }
}

/** The name of the pod, or laptop, that answers; `none` where none does. */
export async function answerOf(
  client: ClientPod,
  url = "http://web/",
): Promise<string> {
  return (await ask(client, url)).answer;
}

async function ask(
  client: ClientPod,
  url: string,
): Promise<{ answer: string; output: string }> {
  const { stdout, stderr } = await client.curl("--max-time", "3", url);
  const answer = /^demo pod=(\S+)\n$/.exec(stdout)?.[1] ?? "none";
  return { answer, output: `${stdout}${stderr}` };
}

/**
 * Until the pod's requests reach the laptop: ktctl is ready when the API says so, and kube-proxy
 * follows a moment later.
 */
export async function reaches(
  client: ClientPod,
  { name = "laptop", url = "http://web/", withinMs = 20_000 }: {
    name?: string;
    url?: string;
    withinMs?: number;
  } = {},
): Promise<number> {
  let last = { answer: "", output: "" };
  return await eventually(
    `${url} is answered by ${name}`,
    async () => (last = await ask(client, url)).answer.startsWith(name),
    withinMs,
  ).catch((error) => {
    throw new Error(`${error.message}; the last answer: ${last.output}`);
  });
}

/** Tries until `holds`; returns the milliseconds that it took. Fails when time is up. */
export function eventually(
  what: string,
  holds: () => boolean | Promise<boolean>,
  withinMs = 30_000,
): Promise<number> {
  return tryUntil(what, holds, { withinMs, pauseMs: 50 });
}

/** {@link eventually}, where each try starts ktctl, which takes a processor for a second. */
export function eventuallyByRuns(
  what: string,
  holds: () => Promise<boolean>,
  withinMs = 30_000,
): Promise<number> {
  return tryUntil(what, holds, { withinMs, pauseMs: 2_000 });
}

async function tryUntil(
  what: string,
  holds: () => boolean | Promise<boolean>,
  { withinMs, pauseMs }: { withinMs: number; pauseMs: number },
): Promise<number> {
  const start = performance.now();
  for (;;) {
    const asked = performance.now();
    if (await holds()) return Math.round(performance.now() - start);
    const now = performance.now();
    if (now - start > withinMs) {
      assert.fail(`not within ${withinMs} ms: ${what}`);
    }
    // asking takes processors from what is waited for: half of the time is enough
    const asLongMs = Math.min(500, now - asked);
    await new Promise((resolve) =>
      setTimeout(resolve, Math.max(pauseMs, asLongMs))
    );
  }
}

/** Nothing of a run is left: neither in the cluster nor on the laptop. */
export async function assertNoTrace(
  { namespace, laptop, before }: {
    namespace: TestNamespace;
    laptop: Laptop;
    before: string;
  },
): Promise<void> {
  assert.equal(await namespace.snapshot(), before);
  assert.deepEqual(laptop.journals(), []);
}

/** The namespace is as `snapshot` says, once the cluster's controllers have followed. */
export async function untouched(
  namespace: TestNamespace,
  snapshot: string,
): Promise<void> {
  assert.equal(await settled(namespace, snapshot), snapshot);
}

/** What the namespace holds, once it is as `snapshot` says or is not going to be. */
export async function settled(
  namespace: TestNamespace,
  snapshot: string,
): Promise<string> {
  let last = "";
  await eventually("as before", async () => {
    last = await namespace.snapshot();
    return last === snapshot;
  }, 10_000).catch(() => {});
  return last;
}
