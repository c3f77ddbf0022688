/** The i-th of n parts of all test files, counted from 1. */
export interface Shard {
  readonly index: number;
  readonly count: number;
}

/** Takes `--shard=i/n` out of the arguments. */
export function readShard(
  args: readonly string[],
): { shard: Shard; rest: string[] } {
  const rest = args.filter((arg) => !arg.startsWith("--shard"));
  const flag = args.find((arg) => arg.startsWith("--shard"));
  if (flag === undefined) return { shard: { index: 1, count: 1 }, rest };
  const [, index = 0, count = 0] = /^--shard=(\d+)\/(\d+)$/.exec(flag)
    ?.map(Number) ?? [];
  if (index < 1 || index > count) {
    throw new Error(`${flag}: it is --shard=1/4, say, the first of 4 parts`);
  }
  return { shard: { index, count }, rest };
}

/** @param at The place of a file among all */
export function isOfShard(at: number, { index, count }: Shard): boolean {
  return at % count === index - 1;
}
