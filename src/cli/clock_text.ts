/** By this machine's clock, with the day if it is not today's. */
export function clockText(since: string): string {
  const at = new Date(since);
  const two = (number: number) => String(number).padStart(2, "0");
  const time = [at.getHours(), at.getMinutes(), at.getSeconds()].map(two)
    .join(":");
  if (at.toDateString() === new Date().toDateString()) return time;
  const day = [at.getFullYear(), two(at.getMonth() + 1), two(at.getDate())];
  return `${day.join("-")} ${time}`;
}
