import * as v from "valibot";
import { imageFault, imageFlagFault } from "../../kube/image_reference.ts";

/** A plugin's option that names an image: with a bad one a pod is made, and never starts. */
export function imageOption(flag: string) {
  return v.pipe(
    v.string(),
    v.check(
      (text) => imageFault(text) === undefined,
      ({ input }) => imageFlagFault(flag, input)!,
    ),
  );
}
