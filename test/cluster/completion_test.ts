// What shells make of the words that ktctl offers: real ones, with a real cluster.
import assert from "node:assert/strict";
import { denoDir } from "../deno_dir.ts";
import { obstacleWithout } from "../netns/packages.ts";
import { openTestCluster } from "./cluster.ts";
import { eventually, Laptop } from "./laptop.ts";
import { Terminal } from "./terminal.ts";
import { programWords } from "./tested_program.ts";
import { run } from "./command.ts";

const obstacle = await obstacleWithout({ zsh: "zsh", fish: "fish" });

/** A shell's own way to a prompt that says `READY`, with the completion of ktctl. */
const SHELLS = {
  bash: {
    start: "bash --norc --noprofile -i",
    setUp: "PS1='REA''DY> '; source <(ktctl completion bash)\n",
  },
  zsh: {
    start: "zsh -f -i",
    setUp:
      "PROMPT='REA''DY> '; unsetopt zle_bracketed_paste; autoload -Uz compinit; compinit -u -D; source <(ktctl completion zsh)\n",
  },
} as const;

Deno.test({
  name:
    `bash, zsh and fish complete Services, namespaces, ports and marks of the cluster, and modes, to what is run${
      obstacle === undefined ? "" : `; ${obstacle}`
    }`,
  ignore: obstacle !== undefined,
  async fn() {
    const cluster = await openTestCluster();
    await using namespace = await cluster.demo();
    await using laptop = await Laptop.open(cluster, namespace);
    await using mesh = laptop.start([
      ...["mesh", "web", "--expose", `${laptop.demo.port}:80`],
      ...["--versionMark", "alice"],
    ]);
    await mesh.ready();

    const folder = `${laptop.stateHome}/bin`;
    const log = `${laptop.stateHome}/ran`;
    await Deno.mkdir(folder);
    const words = programWords().map((word) => `'${word}'`).join(" ");
    await Deno.writeTextFile(
      `${folder}/ktctl`,
      `#!/bin/sh
case "$1" in __complete|completion) exec ${words} "$@";; esac
printf '%s\\n' "$*" >> '${log}'
`,
      { mode: 0o755 },
    );
    const env = {
      HOME: laptop.stateHome,
      DENO_DIR: await denoDir(),
      PATH: `${folder}:${Deno.env.get("PATH")}`,
      KUBECONFIG: cluster.kubeconfig,
      // this machine does much at once
      KTCTL_COMPLETION_DEADLINE: "9000",
    };
    const name = namespace.name;
    const lines = [
      `ktctl -n ${name} exch\tweb --mode sc\t--expose 8080:8\t`,
      `ktctl -n ${name.slice(0, -1)}\tmesh web --versionMark version:al\t`,
      `ktctl -n ${name} recover web-g\t`,
    ];
    const expected = [
      `-n ${name} exchange web --mode scale --expose 8080:80`,
      `-n ${name} mesh web --versionMark version:alice`,
      `-n ${name} recover web-grpc`,
    ];
    for (const [shell, { start, setUp }] of Object.entries(SHELLS)) {
      await using terminal = new Terminal(start, env);
      await terminal.type(setUp);
      await terminal.shows("READY> ");
      for (const [at, line] of lines.entries()) {
        // bash and zsh put a space behind a whole word
        await terminal.type(`${line}\n`);
        await eventually(`${shell} runs the line`, () => {
          try {
            return Deno.readTextFileSync(log).split("\n").length === at + 2;
          } catch {
            return false; // nothing was run yet
          }
        }, 120_000).catch((error) => {
          throw new Error(`${error.message}: ${terminal.screen}`);
        });
      }
      const ran = (await Deno.readTextFile(log)).trim().split("\n")
        .map((one) => one.trim().replace(/ +/g, " "));
      assert.deepEqual(ran, expected, `${shell}: ${terminal.screen}`);
      await Deno.remove(log);
    }

    const script = `${laptop.stateHome}/ktctl.fish`;
    const printed = await run(`${folder}/ktctl`, ["completion", "fish"], {
      env,
    });
    await Deno.writeTextFile(script, printed.stdout);
    const fish = async (line: string) => {
      const { stdout, stderr } = await run("fish", [
        ...["--no-config", "-c", `source ${script}; complete -C '${line}'`],
      ], { env });
      assert.equal(stderr, "");
      return stdout.trim();
    };
    const of = `ktctl -n ${name}`;
    assert.match(await fish(`${of} exch`), /^exchange\tsend a Service's/);
    assert.match(await fish(`${of} exchange w`), /^web\tService$/m);
    assert.match(await fish(`${of} exchange web --mode sc`), /^scale\t/);
    assert.equal(
      (await fish(`${of} exchange web --expose 8080:8`)).split("\t")[0],
      "8080:80",
    );
    assert.match(
      await fish(`${of} mesh web --versionMark v`),
      /^version:alice\tin use by /,
    );
  },
});
