import assert from "node:assert/strict";
import plugin from "../../scripts/lint_plugin.ts";

const ROOT = new URL("../../", import.meta.url).pathname;

function found(file: string, source: string): string[] {
  return Deno.lint.runPlugin(plugin, file, source).map(({ id }) =>
    id.replace("ktctl/", "")
  );
}

Deno.test("a checkout below a folder named src is told apart from the project's own", () => {
  const source = 'import { x } from "../kube/watch.ts";';
  assert.deepEqual(found(`${ROOT}test/src/kube/x.ts`, source), []);
  assert.deepEqual(found(`${ROOT}src/core/x.ts`, source), [
    "import-direction",
  ]);
});

for (
  const [file, source, rules] of [
    ["src/undo/scope.ts", 'import { x } from "../kube/watch.ts";', [
      "import-direction",
    ]],
    [
      "src/cluster/shadow/shadow.ts",
      'import { x } from "../../plugins/driver.ts";',
      [
        "import-direction",
      ],
    ],
    ["src/plugins/driver.ts", 'import { x } from "../cluster/shadow.ts";', []],
    [
      "src/plugins/routing/scale.ts",
      'import { x } from "../../cluster/shadow.ts";',
      [],
    ],
    ["src/link/agent/agent.ts", 'import { x } from "../../kube/watch.ts";', [
      "import-direction",
    ]],
    ["src/link/agent/agent.ts", 'import { x } from "../wire/relay.ts";', []],
    ["src/link/wire/relay.ts", 'import { x } from "../client/login.ts";', [
      "import-direction",
    ]],
    [
      "src/cluster/object/update_object.ts",
      'import { x } from "../router/router_join.ts";',
      ["import-direction"],
    ],
    [
      "src/cluster/router/router_join.ts",
      'import { x } from "../object/update_object.ts";',
      [],
    ],
    [
      "src/cluster/clean/repair.ts",
      'import { x } from "../holder.ts";',
      ["import-direction"],
    ],
    [
      "src/cluster/holder.ts",
      'import { x } from "./router/router_store.ts";',
      [],
    ],
    [
      "src/cluster/shadow/shadow.ts",
      'import { x } from "../../link/agent/ssh_server.ts";',
      [
        "import-direction",
      ],
    ],
    [
      "src/cluster/shadow/shadow.ts",
      'import { x } from "../../link/agent/agent_config.ts";',
      [],
    ],
    [
      "src/core/version.ts",
      'import x from "../../deno.json" with { type: "json" };',
      [],
    ],
    ["src/undo/scope.ts", 'export { x } from "../kube/watch.ts";', [
      "import-direction",
    ]],
    ["src/undo/scope.ts", 'export * from "../kube/watch.ts";', [
      "import-direction",
    ]],
    ["src/undo/scope.ts", 'const x = await import("../kube/watch.ts");', [
      "import-direction",
    ]],
    ["src/plugins/driver.ts", 'import { x } from "../commands/clean.ts";', [
      "import-direction",
    ]],
    ["src/cli/program.ts", 'import { x } from "../commands/clean.ts";', []],
    ["src/net/dns.ts", 'import { x } from "../core/scope.ts";', []],
    ["src/undo/scope.ts", 'import { x } from "../net/dns.ts";', [
      "import-direction",
    ]],
    ["src/new/x.ts", 'import { x } from "../core/scope.ts";', [
      "import-direction",
    ]],
    ["src/plugins/plugin.ts", 'import { x } from "../core/json.ts";', [
      "types-only",
    ]],
    [
      "src/plugins/plugin.ts",
      'import type { x } from "../core/json.ts";',
      [],
    ],
    ["src/link/ssh/ssh2.ts", 'import ssh2 from "ssh2";', ["lazy-packages"]],
    ["src/link/ssh/ssh2.ts", 'import type ssh2 from "ssh2";', []],
    ["src/kube/x.ts", 'const x = await import("ws");', []],
    ["src/core/x.ts", 'throw new Error("x");', ["own-errors"]],
    ["src/core/x.ts", 'throw new TypeError("x");', ["own-errors"]],
    ["src/core/x.ts", 'throw Error("x");', ["own-errors"]],
    ["src/core/x.ts", 'throw new UsageError("X", "Cannot do it");', []],
    ["src/core/x.ts", "throw signal.reason;", []],
    ["test/unit/x_test.ts", 'throw new Error("x");', []],
    ["src/core/x.ts", "Deno.exit(1);", ["reserved-calls"]],
    ["main.ts", "Deno.exit(1);", []],
    ["src/core/x.ts", 'new Deno.Command("ls");', ["reserved-calls"]],
    ["src/core/exec.ts", 'new Deno.Command("ls");', []],
    ["scripts/x.ts", 'new Deno.Command("ls");', []],
    ["src/kube/x.ts", 'import { spawn } from "node:child_process";', [
      "reserved-calls",
    ]],
    [
      "src/kube/x.ts",
      'import type { ChildProcess } from "node:child_process";',
      [],
    ],
    ["src/link/agent/agent.ts", "Deno.exit(1);", []],
    ["main.ts", 'console.log("x");', ["reserved-calls"]],
    ["scripts/x.ts", 'console.log("x");', []],
    ["src/core/x.ts", 'console.log("x");', ["reserved-calls"]],
    ["src/core/x.ts", 'new UsageError("X", "cannot do it");', [
      "error-messages",
    ]],
    ["src/core/x.ts", 'new UsageError("X", "Cannot do it.");', [
      "error-messages",
    ]],
    ["src/core/x.ts", 'new UsageError("X", `Cannot do ${it}`);', []],
    ["src/core/x.ts", 'new UsageError("X", `Cannot do ${it}.`);', [
      "error-messages",
    ]],
    ["src/core/x.ts", 'f({ hint: "Try again" });', ["hint-sentences"]],
    ["src/core/x.ts", 'f({ hint: "Try again." });', []],
    ["src/core/x.ts", "f({ hint: `Run \\`ktctl clean\\`.` });", []],
    ["src/core/x.ts", "f({ hint: `Run ${it}` });", []],
    ["src/core/x.ts", "f({ hint: `Use ${f(it)}` });", ["hint-sentences"]],
    ["src/core/x.ts", 'f({ hint: `Go${a ? "." : ""}` });', []],
    ["src/core/x.ts", 'f({ hint: `Go${a ? " on" : "."}` });', [
      "hint-sentences",
    ]],
    ["src/core/x.ts", "f({ hint: `Run ${it} again` });", ["hint-sentences"]],
    ["src/core/x.ts", 'f({ hint: a ? "Yes." : "No" });', ["hint-sentences"]],
    ["src/core/x.ts", 'f({ hint: a ?? "No" });', ["hint-sentences"]],
    ["src/core/x.ts", 'f({ wayOut: "Go" });', ["hint-sentences"]],
    ["src/core/x.ts", 'const PORT_HINT = "Take another";', ["hint-sentences"]],
    ["src/core/x.ts", 'function ourHint() { return "Go"; }', [
      "hint-sentences",
    ]],
    ["src/core/x.ts", 'f({ text: "Try again" });', []],
    ["scripts/x.ts", 'f({ hint: "Try again" });', []],
    ["src/core/x.ts", "export function f(a, b, c, d) {}", ["few-parameters"]],
    ["src/core/x.ts", "export async function f(a, b, c, d = 1) {}", [
      "few-parameters",
    ]],
    ["src/core/x.ts", "export function f(a, b, c, options = {}) {}", []],
    ["src/core/x.ts", "export function f(a, b, c, { d }) {}", []],
    ["src/core/x.ts", "function f(a, b, c, d) {}", []],
    ["src/core/x.ts", "using file = open();", ["no-using-at-top"]],
    ["src/core/x.ts", "await using file = open();", ["no-using-at-top"]],
    ["src/core/x.ts", "const file = open(); { using x = file; }", []],
    ["scripts/x.ts", "using file = open();", []],
    ["src/net/x.ts", "f(`${host}:${port}`);", ["joined-host-port"]],
    ["src/net/x.ts", "f(`http://${to.address}:80/`);", ["joined-host-port"]],
    ["src/net/x.ts", "f(`${name}:${port}`, `${host}: refused`);", []],
    ["src/core/host_port.ts", "f(`${host}:${port}`);", []],
    ["scripts/x.ts", "f(`${host}:${port}`);", []],
  ] as const
) {
  const claim = rules.length === 0 ? "allows" : `refuses (${rules})`;
  Deno.test(`the lint plugin ${claim} in ${file}: ${source}`, () => {
    assert.deepEqual(found(`${ROOT}${file}`, source), rules);
  });
}
