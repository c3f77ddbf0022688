/**
 * ktctl as main.ts starts it, but for what root helpers leave on the machine: that is looked for below
 * the folder that the first argument names.
 */
import { run } from "../../../src/cli/run.ts";

const [machineRoot = "", ...args] = Deno.args;
Deno.exit(await run(args, Deno.exit, { machineRoot }));
