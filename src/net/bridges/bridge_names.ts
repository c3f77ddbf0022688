import * as v from "valibot";
import { isBridgeName } from "./bridge_name.ts";

export const bridgeNames = v.pipe(
  v.array(
    v.pipe(
      v.string(),
      v.check(
        isBridgeName,
        "must be the name of a bridge, or its beginning and *",
      ),
    ),
  ),
  v.maxLength(32),
);
