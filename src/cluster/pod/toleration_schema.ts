import * as v from "valibot";

const text = v.optional(v.string());

/** Of a `Toleration`; others wrote it. */
export const tolerationSchema = v.object({
  key: text,
  operator: text,
  value: text,
  effect: text,
});
