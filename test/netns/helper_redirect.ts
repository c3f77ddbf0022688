import type { RedirectArgs } from "../../src/net/capture/redirect_args.ts";

/** What the tests of the root helper have it do. */
export const REDIRECT: RedirectArgs = {
  session: "helpertest",
  cidrs: ["10.96.0.0/16", "fd96::/112"],
  exclude: [],
  port: 9999,
};
