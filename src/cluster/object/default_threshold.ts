/** A session whose heartbeat is older is dead, where `clean` is told nothing else. */
export const DEFAULT_THRESHOLD_MINUTES = 5;
