// Plugins that `ktctl plugin add` keeps, through the whole program and by a data folder of their own.
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { listAdded } from "../../../src/plugins/added/list_added.ts";
import { builtinRegistry } from "../../../src/plugins/builtin.ts";
import { FileJournal } from "../../../src/undo/journal.ts";
import { pendingStepIds } from "../../../src/undo/pending_step_ids.ts";
import { TempFolder } from "../kube/temp_folder.ts";

const MAIN = fileURLToPath(new URL("../cli/ktctl_here.ts", import.meta.url));

/** Notes each run of its module in the file `runs`. */
function moduleText(runs: string, { name = "mirror", rest = "" } = {}): string {
  return `
Deno.writeTextFileSync(${JSON.stringify(runs)}, "x", { append: true });
const options = { "~standard": { version: 1, vendor: "x", validate: (value: unknown) => ({ value }) } };
const step = { id: "${name}.note", apply() {}, revert() {}, describe: () => "note", undoCommand: () => "true" };
export default {
  kind: "routing", apiVersion: 1, name: "${name}", aliases: ["${name}-too"], summary: "answers itself",
  verbs: ["mesh"], steps: [step], options,
  flags: [{ name: "${name}Size", value: "size", summary: "how big it is" }],
  probe: () => ({ ok: false, reason: "it is the test's" }), plan() {}, route() {}, ${rest}
};`;
}

class Lab implements AsyncDisposable {
  private constructor(readonly folder: TempFolder) {}

  static async open(): Promise<Lab> {
    return new Lab(await TempFolder.make());
  }

  get plugins(): string {
    return `${this.folder.path}/ktctl/plugins`;
  }

  /** How often a module of {@link moduleText} ran. */
  runs(): number {
    try {
      return Deno.readTextFileSync(`${this.folder.path}/runs`).length;
    } catch {
      return 0; // there is no such file
    }
  }

  async write(
    file: string,
    options?: { name?: string; rest?: string },
  ): Promise<string> {
    const path = `${this.folder.path}/${file}`;
    await Deno.writeTextFile(
      path,
      moduleText(`${this.folder.path}/runs`, options),
    );
    return path;
  }

  async ktctl(...args: string[]) {
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--quiet", MAIN, "/nonexistent", ...args],
      env: {
        KUBECONFIG: "/nonexistent/kubeconfig",
        XDG_DATA_HOME: this.folder.path,
        XDG_STATE_HOME: this.folder.path,
        NO_COLOR: "1",
      },
    }).output();
    const decoder = new TextDecoder();
    return {
      code,
      stdout: decoder.decode(stdout),
      stderr: decoder.decode(stderr),
    };
  }

  /** Added, with what its module ran for that left out of {@link runs}. */
  async added(): Promise<void> {
    const file = await this.write("mirror.ts");
    const { code, stderr } = await this.ktctl("plugin", "add", file);
    assert.equal(code, 0, stderr);
    await Deno.remove(file); // it is the copy that counts
    await Deno.remove(`${this.folder.path}/runs`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.folder[Symbol.asyncDispose]();
  }
}

Deno.test("an added plugin is in the help of its verbs, and its code runs only where its mode is named", async () => {
  await using lab = await Lab.open();
  await lab.added();
  const help = await lab.ktctl("mesh", "--help");
  assert.match(help.stdout, /--mirrorSize <size>/);
  assert.match(help.stdout, /mirror-too: answers\s+itself/);
  const other = await lab.ktctl("exchange", "--help");
  assert.doesNotMatch(other.stdout, /mirror/);
  const listed = await lab.ktctl("plugin", "list", "--output", "json");
  const { name, verbs, sha256 } = JSON.parse(listed.stdout.split("\n")[0]!);
  assert.deepEqual([name, verbs], ["mirror", ["mesh"]]);
  assert.match(sha256, /^[0-9a-f]{64}$/);
  const mesh = ["mesh", "web", "--expose", "80"];
  const foreign = await lab.ktctl(...mesh, "--mirrorSize", "1");
  assert.match(foreign.stderr, /--mirrorSize has no meaning in mode auto/);
  assert.equal(lab.runs(), 0);

  for (const mode of ["mirror", "mirror-too"]) {
    const before = lab.runs();
    const { stderr } = await lab.ktctl(...mesh, "--mode", mode);
    assert.match(stderr, /Cannot find the kubeconfig/);
    assert.equal(lab.runs(), before + 1);
  }
});

Deno.test("a copy that was changed does not run, is told of, and can be removed", async () => {
  await using lab = await Lab.open();
  await lab.added();
  await Deno.writeTextFile(`${lab.plugins}/mirror.ts`, "// x", {
    append: true,
  });
  const mesh = ["mesh", "web", "--expose", "80", "--mode"];
  const refused = await lab.ktctl(...mesh, "mirror");
  assert.equal(refused.code, 8);
  assert.match(refused.stderr, /"mirror": its copy .* was changed since/);
  assert.match(refused.stderr, /`ktctl plugin remove mirror`/);
  assert.equal(lab.runs(), 0);
  const others = await lab.ktctl(...mesh, "auto");
  assert.match(others.stderr, /^Error: Cannot find the kubeconfig/);
  assert.match((await lab.ktctl("plugin", "list")).stderr, /was changed since/);

  assert.equal((await lab.ktctl("plugin", "remove", "mirror")).code, 0);
  assert.deepEqual([...Deno.readDirSync(lab.plugins)], []);
  assert.equal((await lab.ktctl(...mesh, "mirror")).code, 2);
});

Deno.test("a plugin is added by the digest that is asked for, and not twice", async () => {
  await using lab = await Lab.open();
  const file = await lab.write("mirror.ts");
  const wrong = await lab.ktctl(
    ...["plugin", "add", file, "--sha256", "0".repeat(64)],
  );
  const [digest] = /(?<=its sha256 is )[0-9a-f]{64}/.exec(wrong.stderr) ?? [];
  assert.equal(wrong.code, 8, wrong.stderr);
  assert.equal(lab.runs(), 0);
  const add = ["plugin", "add", file, "--sha256", digest!.toUpperCase()];
  assert.equal((await lab.ktctl(...add)).code, 0);
  const again = await lab.ktctl(...add);
  assert.equal(again.code, 2);
  assert.match(again.stderr, /one of that name was added before/);
});

Deno.test("a plugin is added from a URL, whose redirects and imports have the rules of --plugin", async () => {
  await using lab = await Lab.open();
  const text = moduleText(`${lab.folder.path}/runs`);
  const digest = new Uint8Array(
    await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)),
  ).toHex();
  await using server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen() {} },
    ({ url }) =>
      url.endsWith("/imports.ts")
        ? new Response(`import "./more.ts";${text}`)
        : new Response(text),
  );
  const base = `http://127.0.0.1:${server.addr.port}`;
  const imports = await lab.ktctl("plugin", "add", `${base}/imports.ts`);
  assert.match(imports.stderr, /imports "\.\/more\.ts"/);
  const far = await lab.ktctl("plugin", "add", "http://plugins.example/x.ts");
  assert.match(far.stderr, /over plain http/);
  const wrong = `${base}/mirror.ts#sha256=${"0".repeat(64)}`;
  assert.match((await lab.ktctl("plugin", "add", wrong)).stderr, /its sha256/);
  const both = await lab.ktctl("plugin", "add", wrong, "--sha256", digest);
  assert.equal(both.code, 2, both.stderr);
  assert.equal(lab.runs(), 0);
  const pinned = ["plugin", "add", `${base}/mirror.ts`, "--sha256", digest];
  const added = await lab.ktctl(...pinned);
  assert.equal(added.code, 0, added.stderr);
  const { stdout } = await lab.ktctl("plugin", "list");
  assert.match(stdout, /; from http:\/\/127\.0\.0\.1:\d+\/mirror\.ts\n$/);
});

for (
  const [claim, options, text] of [
    ["a built-in's name", { name: "scale" }, /built-in has one of that name/],
    [
      "a flag of ktctl's own",
      {
        rest:
          `flags: [{ name: "expose", value: "x", summary: "x" }], kind: "routing"`,
      },
      /its flag --expose conflicts with a flag of ktctl itself/,
    ],
    [
      "a flag of preview's, in another form,",
      {
        rest:
          `flags: [{ name: "external", value: "x", summary: "x" }], verbs: ["preview"]`,
      },
      /with preview: its flag --external conflicts with a flag of mode service/,
    ],
    [
      "more flags than can be kept",
      {
        rest:
          `flags: Array.from({ length: 101 }, (_, n) => ({ name: "flag" + n, summary: "x" }))`,
      },
      /too many flags/,
    ],
  ] as const
) {
  Deno.test(`a plugin with ${claim} is not added`, async () => {
    await using lab = await Lab.open();
    const file = await lab.write("x.ts", options);
    const { code, stderr } = await lab.ktctl("plugin", "add", file);
    assert.equal(code, 8, stderr);
    assert.match(stderr, text);
    assert.throws(() => Deno.readDirSync(lab.plugins));
  });
}

Deno.test("what is damaged in the folder of added plugins is warned of, and all else works", async () => {
  await using lab = await Lab.open();
  await lab.added();
  const record = Deno.readTextFileSync(`${lab.plugins}/mirror.json`);
  const damaged = {
    "not-json": "{",
    "other-name": record,
    "too-large": record.replace("answers", " ".repeat(200_000)),
    "two-lines": record.replace("answers", "a\\nb"),
    "escapes": record.replace("mirror", "../mirror"),
  };
  for (const [name, text] of Object.entries(damaged)) {
    await Deno.writeTextFile(`${lab.plugins}/${name}.json`, text);
  }
  const { code, stdout, stderr } = await lab.ktctl("mesh", "--help");
  assert.equal(code, 0);
  assert.match(stdout, /--mirrorSize/);
  for (const name of Object.keys(damaged)) {
    assert.match(stderr, new RegExp(`added plugin "${name}".*cannot be read`));
    const removed = await lab.ktctl("plugin", "remove", name);
    assert.equal(removed.code, 0, removed.stderr);
  }
  assert.equal((await lab.ktctl("mesh", "--help")).stderr, "");
});

Deno.test("where the folder of added plugins cannot be read, all else works", async () => {
  await using lab = await Lab.open();
  await Deno.mkdir(`${lab.folder.path}/ktctl`);
  await Deno.writeTextFile(lab.plugins, "no folder");
  const { code, stdout, stderr } = await lab.ktctl("mesh", "--help");
  assert.equal(code, 0);
  assert.match(stdout, /--versionMark/);
  assert.match(stderr, /^Warning: Without the added plugins: /);
  const listed = await lab.ktctl("plugin", "list");
  assert.equal(listed.code, 4, listed.stderr);
});

Deno.test("a plugin of --plugin goes before an added one of its name", async () => {
  await using lab = await Lab.open();
  await lab.added();
  const file = await lab.write("newer.ts", { rest: `summary: "newer"` });
  const { stdout, stderr } = await lab.ktctl(
    "mesh",
    "--plugin",
    file,
    "--help",
  );
  assert.match(stdout, /mirror-too: newer/);
  assert.match(
    stderr,
    /Without the added plugin "mirror": .*newer\.ts has one/,
  );
});

Deno.test("the steps of an added plugin are known where a dead session's journal names one, and not before", async () => {
  await using lab = await Lab.open();
  await lab.added();
  const registry = builtinRegistry();
  await listAdded(registry, {
    dir: lab.plugins,
    signal: new AbortController().signal,
    report: { warn: (_code, text) => assert.fail(text) },
  });
  const sessions = `${lab.folder.path}/ktctl/sessions`;
  const load = () =>
    registry.loadSteps(() => pendingStepIds(sessions), (error) => {
      throw error;
    });
  await load();
  assert.equal(lab.runs(), 0);
  const journal = new FileJournal(sessions, {
    ...{
      type: "session",
      version: 1,
      session: "dead",
      pid: 1,
      command: "mesh",
    },
    ...{ kubeconfig: null, context: "it", server: "it", namespace: "it" },
    startedAt: 1,
  });
  const intent = { type: "intent", n: 1, step: "mirror.note", args: {} };
  journal.append({ ...intent, type: "intent" });
  await load(); // it lives
  assert.equal(registry.steps().has("mirror.note"), false);
  journal.close();
  await load();
  assert.equal(registry.steps().has("mirror.note"), true);
  const removed = await lab.ktctl("plugin", "remove", "mirror");
  assert.match(removed.stderr, /A crashed session used the plugin "mirror"/);
});
