/** Runs a program with its output shown. */
export async function mustSucceed(
  program: string,
  args: string[],
  env: Record<string, string> = {},
): Promise<void> {
  const { code } = await new Deno.Command(program, { args, env }).spawn()
    .status;
  if (code === 0) return;
  throw new Error(`${program} ${args.join(" ")} ended with ${code}`);
}
