/** The workload's own ports may be called so: the first name of 15 characters that is not taken. */
export function freePortName(
  wanted: string,
  taken: ReadonlySet<string>,
): string {
  let name = wanted;
  for (let count = 2; taken.has(name); count++) name = `${wanted}-${count}`;
  return name;
}
