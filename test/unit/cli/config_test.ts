// What files and variables say in place of flags, through the whole program.
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { createProgram } from "../../../src/cli/program.ts";
import { settingsSchema } from "../../../src/commands/config/settings_schema.ts";
import type { CommandHost } from "../../../src/commands/session/command_host.ts";
import { REPEATED } from "../../../src/commands/session/global_options.ts";
import { flagVariables } from "../../../src/commands/settings/flag_variable.ts";
import { settingGroups } from "../../../src/commands/settings/setting_groups.ts";
import { builtinListings } from "../../../src/cli/lazy_host.ts";
import { denoDir } from "../../deno_dir.ts";
import { TempFolder } from "../kube/temp_folder.ts";

const MAIN = fileURLToPath(new URL("ktctl_here.ts", import.meta.url));
const SCHEMA = new URL("../../../docs/config.schema.json", import.meta.url);

/** A home, with a project in it. */
class Lab implements AsyncDisposable {
  private constructor(readonly folder: TempFolder) {}

  static async open(): Promise<Lab> {
    const folder = await TempFolder.make();
    await Deno.mkdir(`${folder.path}/project/inner`, { recursive: true });
    return new Lab(folder);
  }

  get project(): string {
    return `${this.folder.path}/project`;
  }

  get userFile(): string {
    return `${this.folder.path}/config/ktctl/config.yaml`;
  }

  /** By its path below the home. */
  async write(name: string, text: string): Promise<void> {
    const path = `${this.folder.path}/${name}`;
    await Deno.mkdir(path.replace(/\/[^/]*$/, ""), { recursive: true });
    await Deno.writeTextFile(path, text);
  }

  async ktctl(line: string, env: Record<string, string> = {}) {
    const { path } = this.folder;
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--quiet", MAIN, "/nonexistent", ...line.split(" ")],
      cwd: `${this.project}/inner`,
      env: {
        HOME: path,
        XDG_CONFIG_HOME: `${path}/config`,
        XDG_DATA_HOME: `${path}/data`,
        XDG_STATE_HOME: `${path}/state`,
        DENO_DIR: await denoDir(),
        KUBECONFIG: `${path}/none`,
        NO_COLOR: "1",
        ...env,
      },
    }).output();
    const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    return { code, stdout: text(stdout), stderr: text(stderr) };
  }

  /** What `config get` says of each item, as origin and value. */
  async get(items: string, env?: Record<string, string>) {
    const { stdout } = await this.ktctl(
      `config get ${items} --output json`,
      env,
    );
    return stdout.trim().split("\n").map((line) => JSON.parse(line))
      .filter(({ event }) => event === "setting")
      .map(({ origin, value }) => `${origin} ${value}`);
  }

  async [Symbol.asyncDispose]() {
    await this.folder[Symbol.asyncDispose]();
  }
}

/** All flags of all verbs. */
async function allGroups() {
  const host: CommandHost = {
    plugins: (verb) => Promise.resolve(builtinListings(verb)),
    open: () => Promise.reject(new Error("no command runs")),
  };
  const program = await createProgram(host, ["config"], { out() {} });
  return settingGroups(program);
}

Deno.test("a flag goes before a variable, this before the project's file, this before the user's, this before the default", async () => {
  await using lab = await Lab.open();
  await lab.write(
    "config/ktctl/config.yaml",
    "exchange:\n  mode: selector\n  recover-wait-time: 1\n  skipPortChecking: true\nglobal:\n  namespace: own\n",
  );
  await lab.write(
    "project/.ktctl.yaml",
    "exchange:\n  mode: scale\n  recoverWaitTime: 2\n",
  );
  const items =
    "exchange.mode exchange.recoverWaitTime exchange.skipPortChecking mesh.mode global.namespace";
  assert.deepEqual(
    await lab.get(items, {
      KTCTL_MODE: "any",
      KTCTL_EXCHANGE_MODE: "narrow",
      KTCTL_NAMESPACE: "",
    }),
    [
      "variable narrow",
      "project 2",
      "user true",
      "variable any",
      "user own",
    ],
  );
  // and a verb takes them: both are refused by the flag's own parser
  const line = "exchange web --expose 80";
  const env = { KTCTL_EXCHANGE_RECOVER_WAIT_TIME: "soon" };
  const variable = await lab.ktctl(line, env);
  assert.equal(variable.code, 2);
  assert.match(
    variable.stderr,
    /Cannot read --recoverWaitTime "soon".*\(KTCTL_EXCHANGE_RECOVER_WAIT_TIME\)/,
  );
  const flag = await lab.ktctl(`${line} --recoverWaitTime 3`, env);
  assert.match(flag.stderr, /Cannot find the kubeconfig/);
  const shown = await lab.ktctl("config show --origin");
  assert.match(
    shown.stdout,
    /^exchange\.recoverWaitTime = 2 {2}\(project: ".*\/project\/\.ktctl\.yaml", line 3\)$/m,
  );
  assert.equal(shown.stderr, "4 settings\n");
});

for (
  const [text, verb, message] of [
    [
      "exchange:\n  mod: scale\n",
      "exchange web --expose 80",
      /config\.yaml", line 2: ktctl does not know "mod" in the group "exchange"\nDid you mean "mode"\?/,
    ],
    [
      "exchang:\n  mode: scale\n",
      "clean",
      /config\.yaml", line 2: ktctl does not know the group "exchang"\nDid you mean "exchange"\?/,
    ],
    [
      "global:\n  podQuota: 1x\n",
      "clean",
      /Cannot read --podQuota "1x".*\(".*config\.yaml", line 2\)/,
    ],
    [
      "global:\n  output: xml\n",
      "clean",
      /Cannot read output: "xml": allowed choices are human, json, yaml \(".*config\.yaml", line 2\)/,
    ],
    [
      "global:\n  namespace: true\n",
      "clean",
      /Cannot read namespace: it is a text.*\(".*config\.yaml", line 2\)/,
    ],
    [
      "clean:\n  dryRun: maybe\n",
      "clean",
      /Cannot read dryRun: it is true or false \(".*config\.yaml", line 2\)/,
    ],
    [
      "global:\n  namespace: [a, b]\n",
      "clean",
      /Cannot read namespace: it is one value, not a list/,
    ],
  ] as const
) {
  Deno.test(`${JSON.stringify(text)} in the user's file is refused with file and line`, async () => {
    await using lab = await Lab.open();
    await lab.write("config/ktctl/config.yaml", text);
    const { code, stderr } = await lab.ktctl(verb);
    assert.equal(code, 2);
    assert.match(stderr, message);
    assert.equal((await lab.ktctl("--version")).code, 0);
  });
}

Deno.test("config set keeps what the user wrote, takes the original's three forms, and refuses what the flag refuses", async () => {
  await using lab = await Lab.open();
  const before = "# mine\nexchange:\n  # why\n  recover-wait-time: 9 # s\n";
  await lab.write("dotfiles/config.yaml", before);
  await Deno.mkdir(`${lab.folder.path}/config/ktctl`, { recursive: true });
  await Deno.symlink(`${lab.folder.path}/dotfiles/config.yaml`, lab.userFile);
  for (
    const words of [
      "exchange.recoverWaitTime 8",
      "exchange.mode = scale",
      "clean.dry-run=true",
      "global.toleration a=b:NoSchedule c:NoExecute",
      "global.kubeconfig ./here",
    ]
  ) {
    const { code, stderr } = await lab.ktctl(`config set ${words}`);
    assert.equal(code, 0, stderr);
  }
  const text = await Deno.readTextFile(lab.userFile);
  assert.ok((await Deno.lstat(lab.userFile)).isSymlink);
  assert.equal(
    text,
    `# mine
exchange:
  # why
  recover-wait-time: 8 # s
  mode: scale
clean:
  dryRun: true
global:
  toleration:
    - a=b:NoSchedule
    - c:NoExecute
  kubeconfig: ${await Deno.realPath(lab.project)}/inner/here
`,
  );
  for (
    const [words, reason] of [
      ["exchange.recoverWaitTime soon", /must be a whole number/],
      ["exchange.recoverWaitTme 1", /Did you mean "exchange.recoverWaitTime"/],
      ["namespace x", /Did you mean "global.namespace"/],
      ["global.namespace", /Missing value for "global.namespace"/],
      ["global.output xml", /allowed choices are human, json/],
    ] as const
  ) {
    const { code, stderr } = await lab.ktctl(`config set ${words}`);
    assert.equal(code, 2);
    assert.match(stderr, reason);
  }
  assert.equal(await Deno.readTextFile(lab.userFile), text);
  await lab.ktctl("config unset clean.dryRun global.toleration");
  const after = await Deno.readTextFile(lab.userFile);
  assert.doesNotMatch(after, /clean|toleration/);
  assert.match(after, /# why/);
});

Deno.test("profiles are saved, shown, loaded and dropped", async () => {
  await using lab = await Lab.open();
  const said = async (line: string) => {
    const { code, stdout, stderr } = await lab.ktctl(`config ${line}`);
    return `${code} ${stdout}${stderr}`;
  };
  assert.match(await said("save-profile day"), /^2 .*no settings of your own/);
  await said("set global.namespace day");
  assert.match(await said("save-profile day"), /^0 Saved the profile "day"/);
  assert.match(
    await said("save-profile day"),
    /^2 .*there is one of that name/,
  );
  assert.match(await said("save-profile ../day"), /^2 Error: Cannot name/);
  assert.match(await said("list-profile"), /^0 day {2}20\d\d-.*\n1 profile\n$/);
  await said("set global.namespace night");
  assert.match(
    await said("load-profile day --dryRun"),
    /global.namespace = day/,
  );
  assert.match(await said("get global.namespace"), /^0 night\n/);
  await said("load-profile day");
  assert.match(await said("get global.namespace"), /^0 day\n/);
  await lab.write("config/ktctl/profiles/odd.yaml", "global:\n  nmespace: x\n");
  assert.match(await said("load-profile odd"), /^2 .*odd\.yaml", line 2/);
  assert.match(await said("get global.namespace"), /^0 day\n/);
  assert.match(await said("drop-profile day"), /^0 Dropped/);
  assert.match(
    await said("drop-profile day"),
    /^2 .*There is no profile "day"/,
  );
});

/** Notes each run of its module. */
function plugin(runs: string, version: number): string {
  return `// ${version}
Deno.writeTextFileSync(${JSON.stringify(runs)}, "x", { append: true });
const options = { "~standard": { version: 1, vendor: "x", validate: (value) => ({ value }) } };
export default {
  kind: "routing", apiVersion: 1, name: "mirror", summary: "answers itself", verbs: ["exchange"], steps: [],
  options, probe: () => ({ ok: false, reason: "it is the test's" }), plan() {}, route() {},
};`;
}

Deno.test("a project's file may not name code to run until its user trusts it, and again when either changes", async () => {
  await using lab = await Lab.open();
  const runs = `${lab.folder.path}/runs`;
  const hasRun = () => {
    try {
      Deno.removeSync(runs);
      return true;
    } catch {
      return false; // nothing wrote it
    }
  };
  await lab.write("project/mirror.js", plugin(runs, 1));
  const config = "global:\n  plugin: mirror.js\n";
  await lab.write("project/.ktctl.yaml", config);
  const refused = async (line = "exchange web --expose 80 --mode mirror") => {
    const { code, stderr } = await lab.ktctl(line);
    assert.equal(code, 4, stderr);
    assert.match(
      stderr,
      /Cannot use global\.plugin of ".*\.ktctl\.yaml", line 2: you do not trust.*\n.*ktctl config trust/,
    );
    assert.ok(!hasRun());
  };
  const runsIt = async () => {
    const { stderr } = await lab.ktctl(
      "exchange web --expose 80 --mode mirror",
    );
    assert.match(stderr, /Cannot find the kubeconfig/);
    assert.ok(hasRun());
  };
  await refused();
  await refused("clean");
  await refused("exchange config --expose 80");
  const shown = await lab.ktctl("config show --origin");
  assert.match(shown.stdout, /plugin = .*mirror.js.*not trusted/);
  const trusted = await lab.ktctl("config trust");
  assert.match(trusted.stdout, /^global\.plugin = .*mirror\.js/);
  assert.ok(!hasRun(), "nothing of it runs to be trusted");
  await runsIt();
  await lab.write("project/mirror.js", plugin(runs, 2));
  await refused();
  await lab.ktctl("config trust");
  await runsIt();
  await lab.write("project/.ktctl.yaml", `${config}# changed\n`);
  await refused();
  await lab.ktctl("config trust");
  await runsIt();
  await lab.ktctl("config trust --revoke");
  await refused();
  await lab.ktctl("config trust");
  // what it imports is covered by no digest
  await lab.write("project/other.js", "");
  await lab.write(
    "project/mirror.js",
    `import "./other.js";\n${plugin(runs, 3)}`,
  );
  await lab.ktctl("config trust");
  const imports = await lab.ktctl("exchange web --expose 80 --mode mirror");
  assert.match(imports.stderr, /Cannot load.*\.\/other\.js|imports/s);
  assert.ok(!hasRun());
  await lab.write(
    "project/.ktctl.yaml",
    "global:\n  plugin: https://example.com/x.js\n",
  );
  const unpinned = await lab.ktctl("config trust");
  assert.match(unpinned.stderr, /line 2: the plugin https:.* tomorrow/);
});

Deno.test("what sends traffic or credentials elsewhere needs trust, what is harmless does not, and a flag goes before both", async () => {
  await using lab = await Lab.open();
  await lab.write("project/kube", "{}");
  const text = "global:\n  namespace: team\n  kubeconfig: kube\n";
  await lab.write("project/.ktctl.yaml", text);
  const untrusted = await lab.ktctl("clean");
  assert.match(untrusted.stderr, /Cannot use global\.kubeconfig/);
  const flag = await lab.ktctl("clean --kubeconfig /nonexistent");
  assert.match(flag.stderr, /Cannot find the kubeconfig "\/nonexistent"/);
  const groups = await allGroups();
  const all = [...groups].flatMap(([group, options]) =>
    options.map((one) => `${group}.${one.attributeName()}`)
  );
  const { needsTrust } = await import(
    "../../../src/commands/settings/needs_trust.ts"
  );
  const isSuspect = (item: string) => {
    const [group = "", name = ""] = item.split(".");
    return needsTrust({ group, name });
  };
  for (
    const item of [
      "global.plugin",
      "global.kubeconfig",
      "global.context",
      "global.image",
      "global.serviceAccount",
      "global.withAnnotation",
      "mesh.routerImage",
      "connect.proxyAddr",
      "connect.dnsMode",
      "connect.includeIps",
      "connect.includeBridges",
      "connect.ingressIp",
      "preview.external",
      "recover.takeOver",
      "clean.thresholdInMinus",
      "exchange.ofSomePlugin",
    ]
  ) assert.ok(isSuspect(item), item);
  // the list names nothing that is not there
  const harmless = all.filter((item) => !isSuspect(item));
  assert.deepEqual(harmless, [
    "global.namespace",
    "global.portForwardTimeout",
    "global.podCreationTimeout",
    "global.link",
    "global.useShadowDeployment",
    "global.forceUpdate",
    "global.podQuota",
    "global.output",
    "global.debug",
    "connect.mode",
    "connect.disablePodIp",
    "connect.skipCleanup",
    "connect.dnsCacheTtl",
    "connect.dryRun",
    "exchange.expose",
    "exchange.mode",
    "exchange.skipPortChecking",
    "exchange.dryRun",
    "exchange.recoverWaitTime",
    "exchange.takeAgain",
    "mesh.expose",
    "mesh.mode",
    "mesh.versionMark",
    "mesh.skipPortChecking",
    "mesh.dryRun",
    "mesh.takeAgain",
    "preview.expose",
    "preview.mode",
    "preview.skipPortChecking",
    "preview.dryRun",
    "preview.takeAgain",
    "forward.dryRun",
    "recover.dryRun",
    "clean.dryRun",
    "clean.localOnly",
  ]);
});

Deno.test({
  name: "of a project's file that another user wrote nothing is used untrusted",
  ignore: Deno.build.os === "windows" || Deno.uid() !== 0,
  async fn() {
    await using lab = await Lab.open();
    await lab.write("project/.ktctl.yaml", "global:\n  namespace: team\n");
    await Deno.chown(`${lab.project}/.ktctl.yaml`, 12345, 12345);
    const { code, stderr } = await lab.ktctl("clean");
    assert.equal(code, 4);
    assert.match(stderr, /global\.namespace.*belongs to another user/);
    await lab.ktctl("config trust");
    assert.match((await lab.ktctl("clean")).stderr, /Cannot find the kubeconf/);
  },
});

/** A pipe, and whether anybody has opened it for reading. */
async function makeTrap(path: string) {
  await new Deno.Command("mkfifo", { args: [path] }).output();
  const writer = new Deno.Command("sh", {
    args: ["-c", 'exec 2>/dev/null; : > "$0"', path],
  }).spawn();
  let isSprung = false;
  const ended = writer.status.then(() => isSprung = true);
  return {
    isSprung: () => isSprung,
    ended,
    async [Symbol.asyncDispose]() {
      if (!isSprung) writer.kill("SIGKILL");
      await ended;
    },
  };
}

for (const flag of ["kubeconfig", "plugin"]) {
  Deno.test({
    name:
      `what a project's file names as ${flag} is not opened before its user has ever trusted that file`,
    ignore: Deno.build.os === "windows",
    async fn() {
      await using lab = await Lab.open();
      await using trap = await makeTrap(`${lab.project}/trap`);
      await lab.write("project/.ktctl.yaml", `global:\n  ${flag}: trap\n`);
      for (const line of ["clean", "config show", "config trust --revoke"]) {
        await lab.ktctl(line);
      }
      assert.ok(!trap.isSprung());
      const trusted = await lab.ktctl("config trust");
      await trap.ended;
      assert.equal(trusted.code, 2);
      assert.match(
        trusted.stderr,
        /Cannot trust ".*\.ktctl\.yaml": it names ".*trap": it is not a regular file/,
      );
    },
  });
}

for (const path of ["\\\\evil\\share\\x", "//evil/share/x", "\\/evil/x"]) {
  Deno.test(`a project's file may not name ${path}, which is on another machine`, async () => {
    await using lab = await Lab.open();
    await lab.write(
      "project/.ktctl.yaml",
      `global:\n  namespace: a\n  kubeconfig: '${path}'\n`,
    );
    for (const line of ["clean", "config trust"]) {
      const { code, stderr } = await lab.ktctl(line);
      assert.equal(code, 2);
      assert.match(stderr, /ktctl\.yaml", line 3: ".*" is on another machine/);
    }
    await lab.write("project/.ktctl.yaml", "");
    const own = await lab.ktctl(`config set global.kubeconfig ${path}`);
    assert.equal(own.code, 0, "one's own file may");
  });
}

Deno.test("a project is not trusted any more when a file that it names has grown too long to be looked at", async () => {
  await using lab = await Lab.open();
  await lab.write("project/.ktctl.yaml", "global:\n  kubeconfig: kube\n");
  await lab.write("project/kube", "{}");
  await lab.ktctl("config trust");
  assert.match((await lab.ktctl("clean")).stderr, /no current-context/);
  await Deno.truncate(`${lab.project}/kube`, 21 * 1024 * 1024);
  const grown = await lab.ktctl("clean");
  assert.equal(grown.code, 4, grown.stderr);
  const trusted = await lab.ktctl("config trust");
  assert.equal(trusted.code, 2);
  assert.match(trusted.stderr, /it names ".*kube": it is longer than/);
  assert.equal((await lab.ktctl("clean")).code, 4);
});

Deno.test("output: yaml in a file or a variable is for dry runs, and locks nobody out of other commands", async () => {
  await using lab = await Lab.open();
  const set = await lab.ktctl("config set global.output yaml");
  assert.equal(set.code, 0);
  const shown = await lab.ktctl("config show");
  assert.equal(shown.stdout, "global.output = yaml\n");
  assert.equal((await lab.ktctl("status")).code, 0);
  assert.equal((await lab.ktctl("config unset global.output")).code, 0);
  const variable = await lab.ktctl("status", { KTCTL_OUTPUT: "yaml" });
  assert.equal(variable.code, 0, variable.stderr);
  const flag = await lab.ktctl("status --output yaml");
  assert.equal(flag.code, 2);
  assert.match(flag.stderr, /Cannot use --output yaml without --dryRun/);
});

for (
  const [what, text] of [
    ["an unknown key", "global:\n  nonsense: 1\n"],
    ["a value that no flag takes", "global:\n  output: xml\n"],
    ["a group that is torn", "global: [a: b: c"],
    ["what is no text", "\xff\xfe"],
  ] as const
) {
  Deno.test(`config mends the user's own file that has ${what}`, async () => {
    await using lab = await Lab.open();
    const torn = async () => {
      await lab.write("config/ktctl/config.yaml", "");
      const bytes = Uint8Array.from(text, (one) => one.charCodeAt(0));
      await Deno.writeFile(lab.userFile, bytes);
      assert.equal((await lab.ktctl("status")).code, 2);
    };
    const mended = async (line: string) => {
      const { code, stderr } = await lab.ktctl(line);
      assert.equal(code, 0, stderr);
      assert.equal((await lab.ktctl("status")).code, 0);
    };
    await lab.write(
      "config/ktctl/profiles/good.yaml",
      "exchange:\n  mode: scale\n",
    );
    await torn();
    assert.equal((await lab.ktctl("config list-profile")).code, 0);
    await mended("config load-profile good");
    assert.equal(
      (await lab.ktctl("config get exchange.mode")).stdout,
      "scale\n",
    );
    await torn();
    await mended("config unset --all");
    assert.equal(await Deno.readTextFile(lab.userFile), "");
  });
}

Deno.test("a profile that leads nowhere is left out of the list", async () => {
  await using lab = await Lab.open();
  await lab.write("config/ktctl/profiles/good.yaml", "");
  await Deno.symlink(
    "/nonexistent",
    `${lab.folder.path}/config/ktctl/profiles/gone.yaml`,
  );
  const { code, stdout, stderr } = await lab.ktctl("config list-profile");
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^good {2}\S+\n$/);
  assert.equal(stderr, "1 profile\n");
});

Deno.test("where the folder of profiles is none, that is told, and is no bug of ktctl's", async () => {
  await using lab = await Lab.open();
  await lab.write("config/ktctl/profiles", "no folder");
  const listed = await lab.ktctl("config list-profile");
  assert.equal(listed.code, 2, listed.stderr);
  assert.match(listed.stderr, /^Error: Cannot read ".*\/profiles": /);
  const dropped = await lab.ktctl("config drop-profile x");
  assert.equal(dropped.code, 4, dropped.stderr);
  assert.match(
    dropped.stderr,
    /^Error: Cannot write ".*\/profiles\/x\.yaml": /,
  );
});

Deno.test("the original's file is read where the user has none, with a note of what is used and what is not", async () => {
  await using lab = await Lab.open();
  await lab.write(
    ".kt/config",
    `global:
  namespace: "old"
  image: registry.example/kt-connect-shadow:v1
  debug: "false"
exchange:
  recover-wait-time: "33"
  mode: ephemeral
birdseye:
  sort-by: name
`,
  );
  const said = await lab.ktctl("config show");
  assert.equal(
    said.stdout,
    "global.namespace = old\nexchange.recoverWaitTime = 33\n",
  );
  assert.match(
    said.stderr,
    /\.kt\/config" of the original ktctl is used: global\.namespace, exchange\.recoverWaitTime; not used, .*: global\.image, exchange\.mode, birdseye\.sortBy;/,
  );
  await lab.ktctl("config set global.context mine");
  const own = await lab.ktctl("config show");
  assert.doesNotMatch(own.stderr, /original/);
  assert.match(own.stdout, /namespace = old\n.*context = mine\n/s);
  await Deno.remove(lab.userFile);
  await lab.write(".kt/config", "global: [\n");
  assert.match(
    (await lab.ktctl("clean")).stderr,
    /\.kt\/config", line \d: /,
  );
});

Deno.test("the schema in docs/ is that of the flags there are", async () => {
  const schema = JSON.stringify(settingsSchema(await allGroups()), null, 2);
  if (Deno.env.get("UPDATE_SNAPSHOTS")) {
    await Deno.writeTextFile(SCHEMA, `${schema}\n`);
  }
  assert.equal(await Deno.readTextFile(SCHEMA), `${schema}\n`);
  await using lab = await Lab.open();
  const { stdout } = await lab.ktctl("config schema");
  assert.deepEqual(JSON.parse(stdout), JSON.parse(schema));
});

Deno.test("each flag has variables of its own, none of them one that the tests use", async () => {
  const groups = await allGroups();
  const narrow = [...groups].flatMap(([group, options]) =>
    options.map((one) => flagVariables(group, one.attributeName())[0]!)
  );
  assert.equal(new Set(narrow).size, narrow.length);
  assert.ok(narrow.includes("KTCTL_EXCHANGE_RESTORE_AFTER"));
  assert.ok(narrow.includes("KTCTL_IMAGE_PULL_SECRET"));
  const wide = new Set(
    [...groups].flatMap(([group, options]) =>
      group === "global"
        ? []
        : options.map((one) => flagVariables(group, one.attributeName())[1]!)
    ),
  );
  assert.deepEqual(narrow.filter((one) => wide.has(one)), []);
  const all = [...narrow, ...wide];
  assert.deepEqual(all.filter((one) => /^KTCTL_(TEST|RECORD)_/.test(one)), []);
});

Deno.test("a flag that may be given several times is known as one", async () => {
  const several = [...await allGroups()].flatMap(([, options]) =>
    options.filter(({ description }) => /several times/.test(description))
      .map((one) => one.attributeName())
  );
  assert.deepEqual(new Set(several), REPEATED);
});
