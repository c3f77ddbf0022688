/** Of what was closing when its last session died. */
const NOBODY = "nobody";

/** Several sessions that leave the same by one change: the first as a journal has it, the others beside it. */
export function leavingSessions(
  leaving: readonly { readonly session: string }[],
): { session: string; others?: string[] } {
  const [session = NOBODY, ...others] = leaving.map((one) => one.session);
  return others.length === 0 ? { session } : { session, others };
}
