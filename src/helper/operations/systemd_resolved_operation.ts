import * as v from "valibot";
import { UnsupportedError } from "../../core/errors.ts";
import type { Step } from "../../undo/step.ts";
import type { Machine, Operation } from "./operation.ts";
import { address, deviceName, domains } from "./resolver_arguments.ts";

type Input = {
  readonly nameserver: string;
  readonly search: readonly string[];
  readonly routed: readonly string[];
};

/**
 * Gives a link its own name server and the domains that go to it. systemd-resolved forgets them
 * with the link, and keeps them nowhere: a reboot leaves nothing.
 */
export const systemdResolvedStep: Step<
  { readonly device: string },
  Input,
  null,
  Machine
> = {
  id: "resolver.systemd-resolved",
  schema: v.object({ device: deviceName }),
  describe: ({ device }) => `DNS of link "${device}" in systemd-resolved`,
  undoCommand: ({ device }) => `sudo resolvectl revert ${device}`,
  async apply({ device }, { nameserver, search, routed }, machine) {
    // the domains first: a link with a server and without domains is asked for everything
    await resolvectl(machine, [
      "domain",
      device,
      ...search,
      ...routed.map((domain) => `~${domain}`),
    ]);
    await resolvectl(machine, ["default-route", device, "false"]);
    // ours speaks no TLS and the cluster signs nothing, whatever this machine wants of others
    await resolvectl(machine, ["dnsovertls", device, "no"]);
    await resolvectl(machine, ["dnssec", device, "no"]);
    await resolvectl(machine, ["dns", device, nameserver]);
    return null;
  },
  async revert({ device }, { exec }, signal) {
    const { code, stderr } = await exec("resolvectl", ["revert", device], {
      signal,
    });
    if (code === 0 || isGone(stderr)) return;
    throw failed(["revert", device], stderr);
  },
};

const args = v.strictObject({
  /** A link that is up and has `nameserver` as an address of its own, or a route to it. */
  device: deviceName,
  nameserver: address,
  /** Complete short names. */
  search: domains,
  /** Go to the name server without completing anything. */
  routed: v.pipe(domains, v.minLength(1)),
});

/** `resolver.systemd-resolved`: split DNS by the program in charge. Applied again, it replaces the domains; do not close an earlier one of the same link then. */
export const systemdResolvedOperation: Operation<v.InferOutput<typeof args>> = {
  name: "resolver.systemd-resolved",
  args,
  steps: [systemdResolvedStep],
  apply: ({ device, ...input }, scope) =>
    scope.run(systemdResolvedStep, { device }, input),
};

async function resolvectl(
  { exec }: Machine,
  words: readonly string[],
): Promise<void> {
  const { code, stderr } = await exec("resolvectl", words);
  if (code !== 0) throw failed(words, stderr);
}

/** The link, or systemd-resolved itself, is not there any more. */
function isGone(stderr: string): boolean {
  return /No such device|not known|NameHasNoOwner|not activatable|not provided by any|No such file/i
    .test(stderr);
}

function failed(words: readonly string[], stderr: string): UnsupportedError {
  const reason = stderr.trim().split("\n").at(-1) ?? "";
  return new UnsupportedError(
    "RESOLVED_REFUSED",
    `Cannot run "resolvectl ${words.slice(0, 2).join(" ")}": ${reason}`,
  );
}
