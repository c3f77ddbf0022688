// What a user reads who types something wrong: before any cluster is asked.
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";

const main = fileURLToPath(new URL("ktctl_here.ts", import.meta.url));

function ktctl(...args: string[]) {
  return ktctlWith({}, ...args);
}

async function ktctlWith(env: Record<string, string>, ...args: string[]) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", main, "/nonexistent", ...args],
    env: {
      ...env,
      KUBECONFIG: "/nonexistent/kubeconfig",
      XDG_CONFIG_HOME: "/nonexistent",
      XDG_DATA_HOME: "/nonexistent",
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

for (
  const [line, code, text] of [
    ["exchnge web", 2, /Unknown command 'exchnge'\nDid you mean exchange\?/],
    ["help exchnge", 2, /Unknown command 'exchnge'\nDid you mean exchange\?/],
    ["help quit", 2, /Unknown command 'quit'\nSee ktctl --help/],
    [
      "exchange web --expos 80",
      2,
      /Unknown option '--expos'\nDid you mean --expose/,
    ],
    ["exchange", 2, /Missing required argument 'service'/],
    ["exchange web", 2, /Missing --expose\n.*8080:80/],
    ["exchange web --expose x", 2, /Cannot read the ports "x"/],
    [
      "exchange web --expose 80 --mode selctor",
      2,
      /Did you mean "selector"\? There are: selector, scale/,
    ],
    [
      "exchange pod/x --expose 80",
      2,
      /"pod" is neither a Service nor a Deployment/,
    ],
    [
      "exchange a/b/c --expose 80",
      2,
      /Cannot read "a\/b\/c" as a resource name/,
    ],
    // before the kubeconfig is looked at, which is not there
    [
      "mesh web --expose 80 --mode manual --restoreAfter 10m --takeOver",
      3,
      /Cannot use --restoreAfter with --mode/,
    ],
    [
      "exchange web --expose 80 --podQuota 1x",
      2,
      /Cannot read --podQuota "1x"/,
    ],
    [
      "exchange web --expose 80 -i Web",
      2,
      /Cannot use --image "Web" as an image: its name must be in lower case/,
    ],
    [
      "connect --image -x",
      2,
      /Cannot use --image "-x" as an image: it is not like "busybox"/,
    ],
    [
      "preview web --expose 80 --imagePullSecret Mine",
      2,
      /Cannot use --imagePullSecret "Mine": a name has/,
    ],
    [
      "forward web 80 --serviceAccount a_b",
      2,
      /Cannot use --serviceAccount "a_b"/,
    ],
    [
      "exchange web --expose 80 --output xml",
      2,
      /Allowed choices are human, json, yaml/,
    ],
    [
      "exchange web --expose 80 --output yaml",
      2,
      /Cannot use --output yaml without --dryRun/,
    ],
    ["preview Shop --expose 80", 2, /Cannot name a Service "Shop"/],
    [
      `preview ${"a".repeat(64)} --expose 80`,
      2,
      /has 64 characters, 63 are allowed/,
    ],
    [
      "connect --mode sshutle",
      2,
      /Unknown --mode "sshutle".*\nDid you mean "sshuttle"/,
    ],
    ["connect --proxyAddr 0.0.0.0", 2, /goes with --disableTunDevice only/],
    ["connect --proxyPort 70000", 2, /a number from 1 to 65535/],
    [
      "connect --mode sshuttle --proxyPort 1080",
      2,
      /--proxyPort has no meaning in mode sshuttle\n.*--mode tun2socks/,
    ],
    [
      "connect --includeIps 10.0.0",
      2,
      /"10\.0\.0" is not an IP address or range/,
    ],
    ["connect --ingressIp web", 2, /it is not an IP address/],
    ["connect --clusterDomain a..b", 2, /it is not a domain/],
    ["connect --dnsMode pod", 2, /"pod" is not one of its modes/],
    ["connect --dnsPort 0", 2, /a port is a number from 1 to 65535/],
    ["forward", 2, /Missing required argument 'target'/],
    ["forward cm/x 80", 2, /Cannot read "cm\/x" as a target/],
    ["forward web 80:http:1", 2, /Cannot read "80:http:1" as ports/],
    [
      "forward db.example.com",
      2,
      /missing port number\n.*forward db\.example\.com:5432 15432/,
    ],
    ["plugin", 2, /Missing command/],
    ["plugin tset", 2, /Unknown command 'tset'\nDid you mean test\?/],
    ["plugin add npm:x", 2, /Cannot add a plugin from "npm:x"/],
    ["plugin add x.ts --sha256 12", 2, /Cannot read --sha256 "12"/],
    [
      "plugin remove x",
      2,
      /no plugin of that name was added\nNo plugin was added\./,
    ],
    ["rbac", 2, /Missing required argument 'commands'/],
    ["rbac exchnge", 2, /Allowed choices are connect, exchange/],
    [
      "rbac exchange --with mode=scael",
      2,
      /exchange is not used with "mode=scael"\nDid you mean "mode=scale"\?/,
    ],
    ["rbac mesh --with mode=scale", 2, /mesh is not used with "mode=scale"/],
    ["clean --thresholdInMinus soon", 2, /must be a whole number, 0 or more/],
    ["clean --kubeconfig /nonexistent", 2, /\/nonexistent/],
  ] as const
) {
  Deno.test(`"ktctl ${line.slice(0, 60)}" says what is wrong and ends with ${code}`, async () => {
    const result = await ktctl(...line.split(" "));
    assert.match(result.stderr, text);
    assert.equal(result.stdout, "");
    assert.equal(result.code, code);
  });
}

Deno.test("with --output json a usage error is one object on stdout", async () => {
  const { code, stdout, stderr } = await ktctl(
    "exchange",
    "web",
    "--output",
    "json",
  );
  const { event, code: name, hint } = JSON.parse(stdout);
  assert.deepEqual([event, name, stderr, code], [
    "error",
    "EXPOSE_MISSING",
    "",
    2,
  ]);
  assert.match(hint, /--expose/);
});

for (const args of [[], ["help"]]) {
  Deno.test(`"${["ktctl", ...args].join(" ")}" prints the help`, async () => {
    const { code, stdout } = await ktctl(...args);
    assert.equal(code, 0);
    assert.match(stdout, /exchange <service> +send a Service's traffic/);
  });
}

Deno.test("ktctl help and a verb prints what the verb's --help does", async () => {
  const { code, stdout } = await ktctl("help", "recover");
  assert.equal(code, 0);
  const file = new URL("snapshots/recover.txt", import.meta.url);
  assert.equal(stdout, await Deno.readTextFile(file));
});

for (
  const verb of [
    "",
    "exchange",
    "mesh",
    "preview",
    "connect",
    "forward",
    "recover",
    "clean",
    "config",
    "config set",
    "config trust",
    "completion",
    "doctor",
    "rbac",
    "plugin",
    "plugin add",
    "plugin test",
  ]
) {
  Deno.test(`the help of "ktctl ${verb}" is as it was agreed on`, async () => {
    const words = verb === "" ? [] : verb.split(" ");
    const { code, stdout } = await ktctl(...words, "--help");
    assert.equal(code, 0);
    const name = words.length === 0 ? "ktctl" : words.join("_");
    const file = new URL(`snapshots/${name}.txt`, import.meta.url);
    if (Deno.env.get("UPDATE_SNAPSHOTS")) {
      await Deno.writeTextFile(file, stdout);
    }
    assert.equal(stdout, await Deno.readTextFile(file));
  });
}

for (
  const line of ["mesh --help", "--help", "exchange web --expose 80:http:x"]
) {
  Deno.test({
    name:
      `in a terminal of 60 columns a line of "ktctl ${line}" is longer for a word's sake alone`,
    ignore: Deno.build.os !== "linux",
    async fn() {
      const program =
        `"${Deno.execPath()}" run -A --quiet "${main}" /nonexistent ${line}`;
      const { stdout } = await new Deno.Command("script", {
        args: ["-qec", `stty cols 60; ${program}`, "/dev/null"],
        env: { KUBECONFIG: "/nonexistent/kubeconfig", NO_COLOR: "1" },
        stdin: "null",
      }).output();
      const lines = new TextDecoder().decode(stdout)
        .replaceAll("\x1b[K", "").split(/[\r\n]+/);
      assert.ok(lines.some((one) => one.length > 40), lines.join("\n"));
      const isLong = (one: string) =>
        one.length > 60 && one.trim().includes(" ");
      assert.deepEqual(lines.filter(isLong), []);
    },
  });
}

Deno.test("KTCTL_RESTORE_AFTER is what --restoreAfter says where the flag is not given", async () => {
  const env = { KTCTL_RESTORE_AFTER: "1s" };
  const line = ["exchange", "web", "--expose", "80"];
  const read = await ktctlWith(env, ...line);
  assert.equal(read.code, 2);
  assert.match(read.stderr, /Cannot read --restoreAfter "1s"/);
  assert.match(read.stderr, /or set KTCTL_RESTORE_AFTER to such a value/);
  const given = await ktctlWith(env, ...line, "--restoreAfter", "10m");
  assert.match(given.stderr, /Cannot find the kubeconfig/);
  const conflict = await ktctlWith(
    { KTCTL_RESTORE_AFTER: "10m" },
    ...[...line, "--serviceAccount", "me"],
  );
  assert.match(conflict.stderr, /Cannot use --restoreAfter with/);
  const empty = await ktctlWith({ KTCTL_RESTORE_AFTER: "" }, ...line);
  assert.match(empty.stderr, /Cannot find the kubeconfig/);
  const help = await ktctlWith(env, "exchange", "--help");
  assert.equal(help.code, 0, "help needs no value that can be read");
});

Deno.test({
  name:
    "what is written to a full disk is told not to be whole; a reader that has gone has what it wants",
  ignore: Deno.build.os !== "linux",
  async fn() {
    const program =
      `"${Deno.execPath()}" run -A --quiet "${main}" /nonexistent rbac exchange`;
    const run = async (line: string) => {
      const { code, stderr } = await new Deno.Command("bash", {
        args: ["-c", line],
      }).output();
      return { code, stderr: new TextDecoder().decode(stderr) };
    };
    const full = await run(`${program} > /dev/full`);
    assert.equal(full.code, 3);
    assert.match(full.stderr, /Cannot write all that .*No space left/);
    const gone = await run(`${program} > >(true); exit $?`);
    assert.equal(gone.code, 0, gone.stderr);
    assert.doesNotMatch(gone.stderr, /Cannot write/);
  },
});
