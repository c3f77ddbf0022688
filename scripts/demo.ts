/**
 * `deno task demo`: a real Kubernetes, a Service of it redirected to a process on this machine, and
 * everything put back. Ends with 0 only if each step was seen to hold.
 */
import { styleText } from "node:util";
import { run } from "../test/cluster/command.ts";
import {
  openTestCluster,
  type TestNamespace,
} from "../test/cluster/cluster.ts";

const root = new URL("../", import.meta.url);
const script = new URL("test/cluster/cluster.sh", root).pathname;
const LOCAL_ANSWER = "Hello from the laptop!";
/** How long a node may take to follow a change of a Service. */
const FOLLOW_MS = 10_000;

function tell(text: string): void {
  console.log(styleText("bold", `\n▶ ${text}`));
}

function insist(claim: string, holds: boolean): void {
  console.log(`  ${holds ? "✔" : "✘"} ${claim}`);
  if (!holds) throw new Deno.errors.InvalidData(`not so: ${claim}`);
}

/**
 * Requests from a pod of the cluster until one is answered as `expected`: after a change of a
 * Service, kube-proxy may take a second to bring it to the node.
 */
async function followed(
  namespace: TestNamespace,
  expected: (text: string) => boolean,
): Promise<void> {
  const client = await namespace.client();
  const deadline = performance.now() + FOLLOW_MS;
  while (performance.now() < deadline) {
    const { stdout } = await client.curl("http://web/");
    if (expected(stdout.trim())) return;
    console.log(`  the node has not followed yet: ${stdout.trim()}`);
  }
}

/** Three requests from a pod of the cluster. */
async function answers(namespace: TestNamespace): Promise<string[]> {
  const client = await namespace.client();
  const texts: string[] = [];
  for (let time = 0; time < 3; time++) {
    const { stdout, stderr } = await client.curl("http://web/");
    texts.push((stdout || stderr).trim());
  }
  for (const text of texts) console.log(`  $ curl http://web/  →  ${text}`);
  return texts;
}

async function demo(namespace: TestNamespace, kubeconfig: string) {
  tell('A Deployment and a Service "web", as anybody would have them');
  await namespace.applyDemo();
  const before = await namespace.snapshot();
  insist("its own pods answer", (await answers(namespace)).every(isOriginal));

  tell("A program on this machine, which has no route into the cluster");
  await using server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    () => new Response(`${LOCAL_ANSWER}\n`),
  );
  const { port } = server.addr;
  console.log(`  listens on localhost:${port}`);

  const args = ["exchange", "web", "--expose", `${port}:80`];
  tell(`ktctl ${args.join(" ")}`);
  const ktctl = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", "main.ts", ...args, "-n", namespace.name],
    cwd: root,
    env: { KUBECONFIG: kubeconfig },
    stdout: "piped",
  }).spawn();
  await using _ended = {
    // also when something below does not hold
    [Symbol.asyncDispose]: () => endOf(ktctl),
  };
  await textOf(ktctl.stdout, "is exchanged");
  await followed(namespace, isLocal);
  insist("the laptop answers now", (await answers(namespace)).every(isLocal));

  tell("Ctrl-C");
  await endOf(ktctl);
  insist("ktctl ended with exit code 0", (await ktctl.status).code === 0);
  await followed(namespace, isOriginal);
  insist(
    "its own pods answer again",
    (await answers(namespace)).every(isOriginal),
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

async function endOf(ktctl: Deno.ChildProcess): Promise<void> {
  try {
    ktctl.kill("SIGINT");
  } catch (error) {
    if (!(error instanceof TypeError)) throw error; // it has ended already
  }
  await ktctl.status;
}

/** Runs cluster.sh with its progress shown: the first build takes minutes. */
async function control(command: "up" | "down"): Promise<void> {
  const { code } = await new Deno.Command("bash", { args: [script, command] })
    .spawn().status;
  insist(`the cluster is ${command}`, code === 0);
}

async function main(): Promise<void> {
  tell(
    "A real Kubernetes on this machine (the first time it is built, which takes minutes)",
  );
  const isOurs = !Deno.env.get("KTCTL_TEST_KUBECONFIG") &&
    Deno.build.os === "linux" && Deno.uid() === 0;
  const wasUp = !isOurs || (await run("bash", [script, "status"])).code === 0;
  try {
    if (!wasUp) await control("up");
    const cluster = await openTestCluster();
    await using namespace = await cluster.namespace();
    await demo(namespace, cluster.kubeconfig);
  } finally {
    if (!wasUp && !Deno.args.includes("--keep")) {
      tell("Taking the cluster down (--keep leaves it running)");
      await control("down");
    }
  }
  tell("All of it held.");
}

try {
  await main();
} catch (error) {
  console.error(
    `\nThe demo failed: ${error instanceof Error ? error.message : error}`,
  );
  Deno.exit(1);
}
