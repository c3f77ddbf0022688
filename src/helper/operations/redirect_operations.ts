/** What the root helper does for `--mode sshuttle`. */
import * as v from "valibot";
import { ConflictError } from "../../core/errors.ts";
import { findBridges } from "../../net/bridges/find_bridges.ts";
import type { Destination } from "../../net/capture/original_destination.ts";
import { PfDevice } from "../../net/capture/pf_device.ts";
import { type PfQuery, pfQuerySchema } from "../../net/capture/pf_natlook.ts";
import { probeRedirect } from "../../net/capture/probe_redirect.ts";
import {
  REDIRECT_METHODS,
  type RedirectMethodName,
} from "../../net/capture/redirect_methods.ts";
import {
  type RedirectArgs,
  redirectArgsSchema,
} from "../../net/capture/redirect_args.ts";
import type { Machine, Operation } from "./operation.ts";

const methodSchema = v.picklist(["nft", "iptables", "pf"]);

const probeArgs = v.strictObject({
  /** Also what comes from bridges. */
  forwarded: v.exactOptional(v.boolean()),
});

/** Which method works here. Changes nothing. Throws `UnsupportedError` (`REDIRECT_UNSUPPORTED`). */
export const probeRedirectOperation: Operation<
  v.InferOutput<typeof probeArgs>,
  { method: RedirectMethodName }
> = {
  name: "redirect.probe",
  args: probeArgs,
  steps: [],
  apply: async (args, { world }) => ({
    method: await probeRedirect(world, args),
  }),
};

/** Redirects until the client goes, by the best method of this machine. */
export const openRedirectOperation: Operation<
  RedirectArgs,
  { method: RedirectMethodName }
> = {
  name: "redirect.open",
  args: redirectArgsSchema,
  steps: Object.values(REDIRECT_METHODS).flatMap(({ step, earlierSteps }) => [
    step,
    ...earlierSteps,
  ]),
  async apply(args, scope) {
    const { world, signal } = scope;
    await checkBridges(world, args, signal);
    const method = await probeRedirect(world, {
      forwarded: args.forwarded !== undefined,
    });
    const { prepare, step } = REDIRECT_METHODS[method];
    await prepare(scope);
    await scope.run(step, args, undefined);
    return { method };
  },
};

/**
 * Puts other rules in the place of an open redirect's, in one moment. They go when it goes: it is
 * what knows how to take them back, so without it this is refused (`REDIRECT_NOT_OPEN`).
 */
export const updateRedirectOperation: Operation<UpdateRedirectArgs> = {
  name: "redirect.update",
  args: v.strictObject({ method: methodSchema, redirect: redirectArgsSchema }),
  steps: [],
  async apply({ method, redirect }, { world, signal }) {
    await checkBridges(world, redirect, signal);
    const { isOpen, step } = REDIRECT_METHODS[method];
    if (!await isOpen(world, redirect.session)) {
      throw new ConflictError(
        "REDIRECT_NOT_OPEN",
        `Cannot change the redirect "${redirect.session}": it is not open`,
        { hint: "Run the command again." },
      );
    }
    await step.apply(redirect, undefined, world);
    return null;
  },
};

/**
 * Where a connection that pf redirected to a loopback address wanted to go; `null` for any other.
 * Nothing is open by it, but the client closes it as all else. macOS alone: elsewhere it throws
 * `UnsupportedError` (`REDIRECT_UNSUPPORTED`).
 */
export const redirectDestinationOperation: Operation<
  PfQuery,
  Destination | null
> = {
  name: "redirect.destination",
  args: pfQuerySchema,
  steps: [],
  // deno-lint-ignore require-await -- what it throws is to reject
  async apply(query) {
    using pf = new PfDevice();
    return pf.destinationOf(query) ?? null;
  },
};

/** Whoever asks for it: what comes from a whole network is not taken. */
async function checkBridges(
  { exec }: Machine,
  { forwarded }: RedirectArgs,
  signal: AbortSignal,
): Promise<void> {
  if (forwarded === undefined) return;
  await findBridges(exec, forwarded.bridges, { signal, mayBeGone: true });
}

type UpdateRedirectArgs = {
  readonly method: RedirectMethodName;
  readonly redirect: RedirectArgs;
};
