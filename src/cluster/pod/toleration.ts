/** Tolerations of our pods: the user's own, and those of the workload that a pod stands in for. */
import { UsageError } from "../../core/errors.ts";

/** As in a pod's specification. */
export interface Toleration {
  readonly key?: string | undefined;
  readonly operator?: string | undefined;
  readonly value?: string | undefined;
  readonly effect?: string | undefined;
}

export interface Taint {
  readonly key: string;
  readonly value?: string;
  readonly effect?: string;
}

const EFFECTS = ["NoSchedule", "PreferNoSchedule", "NoExecute"];
const KEY =
  /^([a-z0-9]([-a-z0-9.]*[a-z0-9])?\/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;
const VALUE = /^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/;

/**
 * `key=value:effect` as `kubectl taint` takes it; without `=value` any value, without `:effect` any
 * effect is tolerated.
 *
 * @throws {UsageError} `TOLERATION_INVALID`.
 */
export function parseToleration(given: string): Toleration {
  const [pair = "", effect, ...more] = given.split(":");
  const at = pair.indexOf("=");
  const key = at === -1 ? pair : pair.slice(0, at);
  const value = at === -1 ? undefined : pair.slice(at + 1);
  const isGood = more.length === 0 && KEY.test(key) &&
    VALUE.test(value ?? "") &&
    (effect === undefined || EFFECTS.includes(effect));
  if (!isGood) {
    throw new UsageError(
      "TOLERATION_INVALID",
      `Cannot read the toleration "${given}"`,
      {
        hint:
          `Write key=value:effect, key=value, key:effect or key, such as dedicated=gpu:NoSchedule. Effects are ${
            EFFECTS.join(", ")
          }.`,
      },
    );
  }
  return {
    key,
    ...(value === undefined
      ? { operator: "Exists" }
      : { operator: "Equal", value }),
    ...(effect === undefined ? {} : { effect }),
  };
}

/** As {@link parseToleration} reads it. */
export function taintText({ key, value = "", effect }: Taint): string {
  return `${key}${value === "" ? "" : `=${value}`}${
    effect === undefined ? "" : `:${effect}`
  }`;
}

/** Such a taint tells that a node is not well, or is being drained: nobody is to be sent there. */
export function isOfHealth(key: string): boolean {
  return /^node\.(cloudprovider\.)?kubernetes\.io\//.test(key);
}
