/** How long `ktctl --help`, `--version` and the help of a verb take, against the shortest program that Deno can run. */
import { existsSync } from "node:fs";
import { run, succeeded } from "../test/cluster/command.ts";
import { compare, type Figure } from "./figures.ts";
import { BUNDLE, MAIN } from "./programs.ts";

const WARM_UP_ROUNDS = 2;

export async function benchHelp(rounds: number): Promise<Figure[]> {
  const files = [{ form: "main.ts", file: MAIN }, {
    form: "bundle",
    file: BUNDLE,
  }].filter(({ file }) => existsSync(file));
  const questions = [["--help"], ["--version"], ["exchange", "--help"]];
  const starts = files.flatMap(({ form, file }) =>
    questions.map((words) => ({
      name: `${words.join(" ")}, ${form}`,
      args: ["run", "-A", file, ...words],
      pairs: [] as [number, number][],
    }))
  );
  for (let round = -WARM_UP_ROUNDS; round < rounds; round++) {
    for (const { args, pairs } of starts) {
      const nothing = await timed(["eval", "0"]);
      const answer = await timed(args);
      if (round >= 0) pairs.push([answer, nothing]);
    }
  }
  return starts.map(({ name, pairs }) =>
    compare({
      group: "start",
      name,
      unit: "ms",
      peerName: "deno eval 0",
      pairs,
      aim: { atMost: 2 },
    })
  );
}

async function timed(args: string[]): Promise<number> {
  const start = performance.now();
  succeeded(await run(Deno.execPath(), args));
  return performance.now() - start;
}
