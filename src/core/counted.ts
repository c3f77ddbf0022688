/** "1 change", "2 changes". */
export function counted(
  count: number,
  one: string,
  several = `${one}s`,
): string {
  return `${count} ${count === 1 ? one : several}`;
}
