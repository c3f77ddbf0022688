import { run } from "./src/cli/run.ts";

if (import.meta.main) Deno.exit(await main(Deno.args));

async function main(args: readonly string[]): Promise<number> {
  if (args[0] !== "__helper") return await run(args, Deno.exit);
  // what ktctl starts of itself as root; not a command
  const { runHelper } = await import("./src/helper/run_helper.ts");
  return await runHelper();
}
