/**
 * `deno task demo`: a real Kubernetes, a Service of it redirected to a process on this machine, and
 * everything put back. Ends with 0 only if each step was seen to hold.
 *
 *   --keep         leaves the cluster running that it has started
 *   --image NAME   what all pods are started from, also ktctl's
 *
 * With KTCTL_TEST_KUBECONFIG it goes to the cluster that this names, and leaves nothing there.
 */
import { parseArgs, styleText } from "node:util";
import { SHADOW_IMAGE } from "../src/cluster/pod/pod_options.ts";
import { KtctlError } from "../src/core/errors.ts";
import {
  openTestCluster,
  type TestCluster,
  type TestNamespace,
} from "../test/cluster/cluster.ts";
import { checkCluster, checkMachine, startCluster } from "./demo_cluster.ts";
import { startClient, startWeb } from "./demo_workload.ts";

const root = new URL("../", import.meta.url);
const LOCAL_ANSWER = "Hello from the laptop!";
/** How long a node may take to follow a change of a Service. */
const FOLLOW_MS = 10_000;

const { values: flags } = parseArgs({
  options: {
    keep: { type: "boolean", default: false },
    image: { type: "string", default: SHADOW_IMAGE },
  },
});

/** By Ctrl-C, which ends the programs that are waited for as well; what was made is taken back. */
let isStopped = false;
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  if (Deno.build.os === "windows" && signal === "SIGTERM") continue;
  Deno.addSignalListener(signal, () => {
    isStopped = true;
    console.error(`${signal}: taking everything back`);
  });
}

/** Gives what a pod of the cluster is answered by the Service. */
type Ask = () => Promise<string>;

function tell(text: string): void {
  console.log(styleText("bold", `\n▶ ${text}`));
}

function insist(claim: string, holds: boolean): void {
  goOn();
  console.log(`  ${holds ? "✔" : "✘"} ${claim}`);
  if (!holds) throw new Deno.errors.InvalidData(`not so: ${claim}`);
}

function goOn(): void {
  if (isStopped) throw new Deno.errors.Interrupted("stopped by a signal");
}

/**
 * Requests until one is answered as `expected`: after a change of a Service, kube-proxy may take a
 * second to bring it to the node.
 */
async function followed(
  ask: Ask,
  expected: (text: string) => boolean,
): Promise<void> {
  const deadline = performance.now() + FOLLOW_MS;
  while (performance.now() < deadline) {
    const text = await ask();
    goOn();
    if (expected(text)) return;
    console.log(`  the node has not followed yet: ${text}`);
  }
}

/** Three requests. */
async function answers(ask: Ask): Promise<string[]> {
  const texts: string[] = [];
  for (let time = 0; time < 3; time++) texts.push(await ask());
  for (const text of texts) console.log(`  GET http://web/  →  ${text}`);
  return texts;
}

async function demo(cluster: TestCluster, namespace: TestNamespace) {
  tell('A Deployment and a Service "web", as anybody would have them');
  // apart, so that it is not among the objects that are compared
  await using other = await cluster.namespace();
  await startWeb(namespace, flags.image);
  goOn();
  const request = await startClient(other, flags.image);
  const ask = () => request(`http://web.${namespace.name}/`);
  await followed(ask, isOriginal);
  const before = await namespace.snapshot();
  insist("its own pods answer", (await answers(ask)).every(isOriginal));

  tell("A program on this machine, which has no route into the cluster");
  await using server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    () => new Response(`${LOCAL_ANSWER}\n`),
  );
  const { port } = server.addr;
  console.log(`  listens on localhost:${port}`);

  const args = ["exchange", "web", "--expose", `${port}:80`];
  if (flags.image !== SHADOW_IMAGE) args.push("--image", flags.image);
  tell(`ktctl ${args.join(" ")}`);
  const ktctl = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", "main.ts", ...args, "-n", namespace.name],
    cwd: root,
    env: { KUBECONFIG: cluster.kubeconfig },
    stdout: "piped",
  }).spawn();
  await using _ended = {
    // also when something below does not hold
    // a Ctrl-C of the user's has come to ktctl already: one more would be impatience
    [Symbol.asyncDispose]: () => endOf(ktctl, "SIGTERM"),
  };
  await textOf(ktctl.stdout, "Exchanging Service");
  await followed(ask, isLocal);
  insist("the laptop answers now", (await answers(ask)).every(isLocal));

  tell("Ctrl-C");
  await endOf(ktctl, "SIGINT");
  insist("ktctl ended with exit code 0", (await ktctl.status).code === 0);
  await followed(ask, isOriginal);
  insist(
    "its own pods answer again",
    (await answers(ask)).every(isOriginal),
  );
  insist(
    "every object is as it was, and nothing was left behind",
    await namespace.snapshot() === before,
  );
}

function isLocal(text: string): boolean {
  return text === LOCAL_ANSWER;
}

function isOriginal(text: string): boolean {
  return text.startsWith("demo pod=web-");
}

/** Shows what a program prints, and returns once it printed `mark`. */
async function textOf(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  mark: string,
): Promise<void> {
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) throw new Deno.errors.UnexpectedEof("ktctl ended early");
    text += value;
    console.log(value.trimEnd());
    if (text.includes(mark)) return;
  }
}

async function endOf(
  ktctl: Deno.ChildProcess,
  signal: Deno.Signal,
): Promise<void> {
  try {
    ktctl.kill(signal);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error; // it has ended already
  }
  await ktctl.status;
}

async function main(): Promise<void> {
  const named = Deno.env.get("KTCTL_TEST_KUBECONFIG");
  if (named) {
    tell(`The cluster of ${named}`);
    console.log(
      `  All pods are of the image ${flags.image}; --image names another Deno.`,
    );
    await checkCluster(named);
    await demoIn(await openTestCluster(), true);
  } else {
    tell("A real Kubernetes on this machine");
    await checkMachine();
    const end = await startCluster(flags.keep);
    try {
      await demoIn(await openTestCluster(), false);
    } finally {
      await end();
    }
  }
  tell("All of it held.");
}

/** @param isTheirs Nothing may be left in it: what is deleted is waited for. */
async function demoIn(cluster: TestCluster, isTheirs: boolean): Promise<void> {
  const names: string[] = [];
  const counted: TestCluster = {
    ...cluster,
    async namespace() {
      const namespace = await cluster.namespace();
      names.push(namespace.name);
      return namespace;
    },
  };
  try {
    await using namespace = await counted.namespace();
    await demo(counted, namespace);
  } finally {
    if (isTheirs) await gone(cluster, names);
  }
}

async function gone(cluster: TestCluster, names: string[]): Promise<void> {
  tell("Waiting until the demo's namespaces are gone");
  for (const name of names) {
    const path = `namespace/${name}`;
    const wait = ["wait", "--for=delete", path, "--timeout=120s"];
    await cluster.kubectl(wait, { timeout: 130_000 });
    const { stdout } = await cluster.kubectl(
      ["get", path, "--ignore-not-found", "-oname"],
    );
    console.log(`  ${stdout === "" ? "✔" : "✘"} ${path} is gone`);
    if (stdout !== "") throw new Deno.errors.TimedOut(`${path} is there still`);
  }
}

try {
  await main();
} catch (error) {
  if (isStopped) {
    console.error("\nThe demo was stopped, and is taken back.");
    Deno.exit(130);
  }
  if (error instanceof KtctlError) {
    const { message, details, hint } = error;
    const lines = [message, ...details, hint].filter((line) => line);
    console.error(lines.join("\n"));
    Deno.exit(error.exitCode);
  }
  console.error(
    `\nThe demo failed: ${error instanceof Error ? error.message : error}`,
  );
  Deno.exit(1);
}
