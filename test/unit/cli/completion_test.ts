// What shells are told, and what bash makes of it.
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { answer } from "../../../src/cli/completion/complete.ts";
import { userPaths } from "../../../src/cli/user_paths.ts";
import { createLog } from "../../../src/commands/background/log_folder.ts";
import {
  completionScript,
  SHELLS,
} from "../../../src/commands/completion/completion_scripts.ts";
import { exec } from "../../../src/core/exec.ts";
import { FileJournal } from "../../../src/undo/journal.ts";
import { denoDir } from "../../deno_dir.ts";
import { TempFolder } from "../kube/temp_folder.ts";

const MAIN = fileURLToPath(new URL("../../../main.ts", import.meta.url));

/** A home of its own, for what runs in this process. */
async function home(): Promise<
  AsyncDisposable & { folder: TempFolder; kubeconfig: string }
> {
  const folder = await TempFolder.make();
  const { path } = folder;
  const set: Record<string, string> = {
    DENO_DIR: await denoDir(),
    HOME: path,
    XDG_CONFIG_HOME: `${path}/config`,
    XDG_DATA_HOME: `${path}/data`,
    XDG_STATE_HOME: `${path}/state`,
    KUBECONFIG: `${path}/kube`,
  };
  const before = Object.keys(set).map((name) =>
    [name, Deno.env.get(name)] as const
  );
  for (const [name, value] of Object.entries(set)) Deno.env.set(name, value);
  return {
    folder,
    kubeconfig: `${path}/kube`,
    async [Symbol.asyncDispose]() {
      for (const [name, value] of before) {
        if (value === undefined) Deno.env.delete(name);
        else Deno.env.set(name, value);
      }
      await folder[Symbol.asyncDispose]();
    },
  };
}

/** The values alone. */
async function values(line: string): Promise<string[]> {
  const text = await answer(line.split(" "));
  return text.split("\n").slice(0, -1).map((one) => one.split("\t")[0]!);
}

/** Of a cluster that nobody needs to reach. */
function kubeconfig(
  { server = "https://127.0.0.1:1", user = {}, contexts = ["near"] }: {
    server?: string;
    user?: object;
    contexts?: readonly string[];
  } = {},
) {
  return {
    "current-context": contexts[0],
    contexts: contexts.map((name) => ({
      name,
      context: { cluster: "c", user: "u" },
    })),
    clusters: [{ name: "c", cluster: { server } }],
    users: [{ name: "u", user }],
  };
}

for (
  const [line, expected] of [
    ["rec", ["recover"]],
    ["-n shop ex", ["exchange"]],
    ["--context=x -n exchange mesh --m", ["--mode"]],
    ["exchange --skip", ["--skipPortChecking"]],
    ["exchange web --mode ", ["selector", "scale"]],
    ["exchange web --mode=sc", ["--mode=scale"]],
    ["mesh --mode ", ["auto", "manual"]],
    ["connect --mode ss", ["sshuttle"]],
    ["preview x --mode ", ["service"]],
    ["--output ", ["human", "json", "yaml"]],
    ["clean --link=", ["--link=tls", "--link=ssh"]],
    ["exchange --takeAgain --expose 80 --mode sel", ["selector"]],
    ["completion ", ["bash", "zsh", "fish", "powershell"]],
    ["plugin ", ["list", "add", "remove", "test"]],
    ["plugin test --verb ", ["exchange", "mesh", "preview"]],
    ["help co", ["connect", "config", "completion"]],
    ["config set exchange.m", ["exchange.mode"]],
    ["config set exchange.mode ", ["selector", "scale"]],
    ["config set clean.dryRun ", ["true", "false"]],
    ["config get mesh.mode global.outp", ["global.output"]],
    ["rbac forward --with ho", ["host:port"]],
    ["rbac mesh --with mode=auto,app", ["mode=auto,applyRules"]],
    ["leave ", []],
    ["--kubeconfig ", [":files"]],
    ["plugin add ", [":files"]],
    ["clean x", []],
    ["exchange --restoreAfter ", []],
    ["no-such-verb ", []],
    ["exchange --no-such ", []],
  ] as const
) {
  Deno.test(`"ktctl ${line}" and a tab is offered ${expected.join(", ") || "nothing"}`, async () => {
    await using _home = await home();
    assert.deepEqual(await values(line), [...expected]);
  });
}

Deno.test("contexts, profiles and added plugins are offered, but for what a shell would take for more than a word", async () => {
  await using its = await home();
  const hostile = ["$(touch x)", "a;b", "a b", "`x`", "é", "ok/eks:1@x"];
  await its.folder.write(
    "kube",
    kubeconfig({ contexts: ["near", ...hostile] }),
  );
  assert.deepEqual(await values("--context "), ["near", "ok/eks:1@x"]);
  assert.match(await answer(["--context", "n"]), /^near\tcurrent context\n$/);
  const profiles = `${its.folder.path}/config/ktctl/profiles`;
  await Deno.mkdir(profiles, { recursive: true });
  await Deno.writeTextFile(`${profiles}/day.yaml`, "");
  assert.deepEqual(await values("config load-profile "), ["day"]);
});

Deno.test("the sessions of this laptop are offered to leave and keep, those of the background to logs", async () => {
  await using _home = await home();
  const { journalDir, logDir } = await userPaths();
  const header = {
    ...{ type: "session", version: 1, pid: Deno.pid, startedAt: 1 } as const,
    ...{ kubeconfig: null, context: "c", server: "https://s", namespace: "n" },
  };
  const commands = ["exchange svc/web", "connect", "mesh api --mode auto"];
  const journals = commands.map((command, at) =>
    new FileJournal(journalDir, { ...header, session: `s${at}`, command })
  );
  const dead = { ...header, session: "dead", command: "preview gone" };
  new FileJournal(journalDir, dead).close();
  createLog(logDir, "preview over");
  for (const verb of ["leave", "keep"]) {
    assert.deepEqual((await values(`${verb} `)).sort(), [
      "api",
      "connect",
      "web",
    ]);
  }
  assert.match(await answer(["leave", "w"]), /^web\texchange svc\/web\n$/);
  assert.deepEqual(await values("logs "), ["over"]);
  for (const journal of journals) journal.close();
});

Deno.test("a credential plugin is not run for a word, and an untrusted kubeconfig of a project is not read", async () => {
  await using its = await home();
  const ran = `${its.folder.path}/ran`;
  const exec = {
    apiVersion: "client.authentication.k8s.io/v1",
    command: "touch",
    args: [ran],
    interactiveMode: "IfAvailable",
  };
  await its.folder.write("kube", kubeconfig({ user: { exec } }));
  assert.deepEqual(await values("exchange "), []);
  assert.deepEqual(await values("-n "), []);
  await assert.rejects(Deno.stat(ran), Deno.errors.NotFound);
  await its.folder.write("theirs", kubeconfig({ contexts: ["theirs"] }));
  await its.folder.write(
    ".ktctl.yaml",
    "global:\n  kubeconfig: theirs\n",
  );
  const before = Deno.cwd();
  Deno.chdir(its.folder.path);
  try {
    assert.deepEqual(await values("--context "), []);
    assert.deepEqual(await values("exchange --mode sc"), ["scale"]);
  } finally {
    Deno.chdir(before);
  }
});

Deno.test("a server that takes the connection and says nothing costs 300 ms, and no word but the cluster's", async () => {
  await using its = await home();
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const taken: Deno.Conn[] = [];
  const taking = (async () => {
    for await (const one of listener) taken.push(one);
  })();
  const server = `https://127.0.0.1:${listener.addr.port}`;
  await its.folder.write("kube", kubeconfig({ server }));
  await values("exchange "); // loads what is needed
  const since = performance.now();
  assert.deepEqual(await values("exchange "), []);
  const tookMs = performance.now() - since;
  assert.ok(tookMs > 250 && tookMs < 5_000, `took ${tookMs} ms`);
  assert.ok(taken.length > 0);
  for (const one of taken) one.close();
  listener.close();
  await taking;
});

for (
  const [name, content] of [
    ["no kubeconfig", undefined],
    ["a broken kubeconfig", "{ broken"],
  ] as const
) {
  Deno.test({
    name: `with ${name} a completion prints nothing on stderr and ends with 0`,
    async fn() {
      await using its = await home();
      if (content !== undefined) await its.folder.write("kube", content);
      const { code, stdout, stderr } = await exec(Deno.execPath(), [
        ...["run", "-A", "--quiet", MAIN, "__complete", "--", "exchange", ""],
      ]);
      assert.deepEqual([code, stdout, stderr], [0, "", ""]);
    },
  });
}

Deno.test("words after __complete that ktctl cannot use print nothing on stderr and end with 0", async () => {
  await using its = await home();
  await its.folder.write("config", "no folder");
  for (const line of [[], ["--"], ["--", "--plugin", "/nonexistent", "ex"]]) {
    const { code, stderr } = await exec(Deno.execPath(), [
      ...["run", "-A", "--quiet", MAIN, "__complete", ...line],
    ]);
    assert.deepEqual([code, stderr], [0, ""]);
  }
});

/** What bash would put in place of the last word. `ktctl` is a function that answers with `answers`, and notes its words. */
async function inBash(line: string, answers: readonly string[]) {
  const script = `
    ktctl() { printf '<%s>' "$@" >&3; printf '%b' "$ANSWER"; }
    source /dev/fd/4 4<<< "$SCRIPT"
    source /dev/fd/4 4<<< "$SCRIPT"
    COMP_LINE=$LINE COMP_POINT=\${#LINE}
    _ktctl
    printf '%s\\n' "\${COMPREPLY[@]}"
    complete -p ktctl
  `;
  const { code, stdout, stderr } = await new Deno.Command("bash", {
    args: ["--norc", "-c", `exec 3>"$WORDS"; ${script}`],
    env: {
      SCRIPT: completionScript("bash"),
      LINE: line,
      ANSWER: answers.map((one) => `${one}\\ttext\\n`).join(""),
      WORDS: "/dev/fd/1",
    },
  }).output();
  const text = new TextDecoder();
  assert.equal(code, 0);
  assert.equal(text.decode(stderr), "");
  return text.decode(stdout);
}

Deno.test({
  name:
    "in bash nothing of the command line or of the candidates is evaluated, and words break where bash breaks them",
  ignore: Deno.build.os === "windows",
  async fn() {
    await using folder = await TempFolder.make();
    const mark = `${folder.path}/mark`;
    const said = await inBash(`ktctl exchange $(touch ${mark}) \`x\` "a`, [
      `$(touch\\x20${mark})`,
      "*",
    ]);
    assert.match(
      said,
      /^<__complete><--><exchange><\$\(touch><.*mark\)><`x`><"a>/,
    );
    assert.match(said, /\$\(touch /);
    await assert.rejects(Deno.stat(mark), Deno.errors.NotFound);
    const end = "complete -F _ktctl ktctl\n";
    assert.equal(
      await inBash("ktctl exchange web --expose 8080:8", ["8080:80"]),
      `<__complete><--><exchange><web><--expose><8080:8>80\n${end}`,
    );
    assert.equal(
      await inBash("ktctl mesh --mode=a", ["--mode=auto"]),
      `<__complete><--><mesh><--mode=a>auto\n${end}`,
    );
    assert.equal(
      await inBash("ktctl ", ["connect", "clean"]),
      `<__complete><--><>connect\nclean\n${end}`,
    );
  },
});

Deno.test("ktctl completion prints the script of each shell, with --output json in one object", async () => {
  await using _home = await home();
  for (const shell of SHELLS) {
    const { code, stdout, stderr } = await exec(Deno.execPath(), [
      ...["run", "-A", "--quiet", MAIN, "completion", shell],
    ]);
    assert.deepEqual([code, stderr], [0, ""]);
    assert.equal(stdout, completionScript(shell));
  }
  const { stdout } = await exec(Deno.execPath(), [
    ...["run", "-A", "--quiet", MAIN, "completion", "bash", "--output", "json"],
  ]);
  assert.equal(
    JSON.parse(stdout.split("\n")[0]!).output,
    completionScript("bash"),
  );
});
