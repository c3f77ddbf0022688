import type { ClusterCheck } from "./cluster_subject.ts";

const OLDEST_MINOR = 20;
const NEWEST_TRIED_MINOR = 37;
/** A start takes about ten of them. */
const SLOW_MS = 500;
const TRIES = 3;

export const VERSION_CHECK: ClusterCheck = {
  name: "version",
  title: "API server",
  async look({ kube, version: { major, minor, gitVersion } }, signal) {
    let fastestMs = Infinity;
    for (let tries = 0; tries < TRIES; tries++) {
      const startedAt = performance.now();
      await kube.version({ signal });
      fastestMs = Math.min(fastestMs, performance.now() - startedAt);
    }
    const roundTripMs = Math.round(fastestMs * 10) / 10;
    const facts = { version: gitVersion, roundTripMs };
    const text = `Kubernetes ${gitVersion}, answers in ${roundTripMs} ms`;
    if (major === 1 && minor < OLDEST_MINOR) {
      return {
        state: "bad",
        message: `${text}: too old`,
        advice: `ktctl needs Kubernetes 1.${OLDEST_MINOR} or newer.`,
        facts,
      };
    }
    if (roundTripMs > SLOW_MS) {
      return {
        state: "warning",
        message: text,
        advice: "That is long: each start takes several times as much.",
        facts,
      };
    }
    if (minor > NEWEST_TRIED_MINOR) {
      return {
        state: "warning",
        message: `${text}: newer than what this ktctl was tried with`,
        advice: "See whether there is a newer ktctl.",
        facts,
      };
    }
    return { state: "good", message: text, facts };
  },
};
