import { writeAll } from "./src/cli/write_all.ts";
import { VERSION } from "./src/core/version.ts";

// Deno keeps V8's compiled code of a module for the next start once the module is evaluated. With
// an exit inside of that it never would be, and each start would compile the whole bundle again.
if (import.meta.main) setTimeout(start, 0);

async function start(): Promise<void> {
  Deno.exit(await main(Deno.args));
}

async function main(args: readonly string[]): Promise<number> {
  if (args[0] === "__helper") {
    // what ktctl starts of itself as root; not a command
    const { runHelper } = await import("./src/helper/run_helper.ts");
    return await runHelper();
  }
  if (args[0] === "__complete") {
    // what a shell asks for; not a command
    const { complete } = await import("./src/cli/completion/complete.ts");
    return await complete(args.slice(1));
  }
  if (args.length === 1 && /^(-v|--version)$/.test(args[0]!)) {
    // programs ask for it, and need not wait for the command line's parser
    writeAll(Deno.stdout, `${VERSION}\n`);
    return 0;
  }
  const { run } = await import("./src/cli/run.ts");
  return await run(args, Deno.exit);
}
