/** The name of a session's adapter on Windows, by which client and helper both know it. */
export function wintunName(session: string): string {
  return `ktctl-${session}`;
}
