/** The processes whose network is that of this one. */
export function networkPids(holder: number): number[] {
  const network = (pid: number) =>
    unlessEnded(() => Deno.readLinkSync(`/proc/${pid}/ns/net`));
  const here = network(holder);
  return [...Deno.readDirSync("/proc")].map(({ name }) => Number(name))
    .filter((pid) => Number.isInteger(pid) && network(pid) === here);
}

/** The words that it was started with; none where it has ended. */
export function wordsOf(pid: number): string[] {
  const words = unlessEnded(() =>
    Deno.readTextFileSync(`/proc/${pid}/cmdline`)
  );
  return words?.split("\0") ?? [];
}

function unlessEnded(read: () => string): string | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
