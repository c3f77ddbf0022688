/** How long `ktctl --help` takes, against the shortest program that Deno can run. */
import { existsSync } from "node:fs";
import { run, succeeded } from "../test/cluster/command.ts";
import { compare, type Figure } from "./figures.ts";
import { BUNDLE, MAIN } from "./programs.ts";

const WARM_UP_ROUNDS = 2;

export async function benchHelp(rounds: number): Promise<Figure[]> {
  const programs = [
    { name: "--help, main.ts", file: MAIN },
    { name: "--help, bundle", file: BUNDLE },
  ].filter(({ file }) => existsSync(file));
  const pairs = programs.map(() => [] as [number, number][]);
  for (let round = -WARM_UP_ROUNDS; round < rounds; round++) {
    for (const [at, { file }] of programs.entries()) {
      const nothing = await timed(["eval", "0"]);
      const help = await timed(["run", "-A", file, "--help"]);
      if (round >= 0) pairs[at]!.push([help, nothing]);
    }
  }
  return programs.map(({ name }, at) =>
    compare({
      group: "start",
      name,
      unit: "ms",
      peerName: "deno eval 0",
      pairs: pairs[at]!,
      aim: { atMost: 2 },
    })
  );
}

async function timed(args: string[]): Promise<number> {
  const start = performance.now();
  succeeded(await run(Deno.execPath(), args));
  return performance.now() - start;
}
