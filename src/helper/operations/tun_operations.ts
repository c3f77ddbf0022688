/** What the root helper does for `--mode tun2socks`. No packet passes through it. */
import * as v from "valibot";
import {
  chooseDeviceMethod,
  DEVICE_METHODS,
} from "../../net/tun/choose_device_method.ts";
import type { OpenedTun } from "../../net/tun/opened_tun.ts";
import {
  type OpenTunArgs,
  openTunArgsSchema,
  type TunRoutesArgs,
  tunRoutesArgsSchema,
} from "../../net/tun/tun_args.ts";
import type { Operation } from "./operation.ts";

/** Whether there can be a device. */
export const probeTunOperation: Operation<
  Record<string, never>,
  Record<string, never>
> = {
  name: "tun.probe",
  args: v.strictObject({}),
  steps: [],
  async apply(_args, { world }) {
    await chooseDeviceMethod().probe(world);
    return {};
  },
};

/** A device of the user's with addresses and routes, until the client goes. On Windows the client has made it. */
export const openTunOperation: Operation<OpenTunArgs, OpenedTun> = {
  name: "tun.open",
  args: openTunArgsSchema,
  steps: Object.values(DEVICE_METHODS).flatMap(({ steps }) => steps),
  // deno-lint-ignore require-await -- what it throws is to reject
  apply: async (args, scope) => chooseDeviceMethod().open(args, scope),
};

/** Puts other routes in the place of an open device's. They go when it goes. */
export const tunRoutesOperation: Operation<TunRoutesArgs> = {
  name: "tun.routes",
  args: tunRoutesArgsSchema,
  steps: [],
  async apply(args, { world }) {
    await chooseDeviceMethod().updateRoutes(args, world);
    return null;
  },
};
