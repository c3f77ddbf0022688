import * as v from "valibot";
import {
  insertResolvConfBlock,
  removeResolvConfBlock,
} from "../../link/dns/resolv_conf_block.ts";
import { parseResolvConf } from "../../link/dns/parse_resolv_conf.ts";
import { messageOf } from "../../core/errors.ts";
import { randomLower } from "../../core/random_name.ts";
import type { Step } from "../../undo/step.ts";
import type { Machine, Operation } from "./operation.ts";
import { readFileExact, removeFile, replaceFile } from "./replace_file.ts";
import { watchFile } from "./watch_file.ts";
import { address, domains, fileMark } from "./resolver_arguments.ts";

const schema = v.object({
  /** Our own mark in the file. */
  id: fileMark,
  nameserver: address,
  /** There was no file. */
  created: v.boolean(),
});

type Args = v.InferOutput<typeof schema>;

/**
 * Puts our name server into /etc/resolv.conf. The journal keeps only whose lines they are: what was
 * there before stays in the file itself, so that it can be restored when the journal, which does
 * not live through a reboot, is gone.
 */
export const resolvConfStep: Step<
  Args,
  { readonly search: readonly string[] },
  null,
  Machine
> = {
  id: "resolver.resolv-conf",
  schema,
  describe: ({ nameserver }) => `name server ${nameserver} in /etc/resolv.conf`,
  undoCommand: () =>
    `sudo sed -i '/^# ktctl begin/,/^# ktctl end/d; s/^#ktctl# //' /etc/resolv.conf`,
  apply(args, { search }, { root }) {
    const path = pathOf(root);
    const now = readFileExact(path) ?? "";
    const before = removeResolvConfBlock(now)?.before ?? now;
    const { search: searchBefore } = parseResolvConf(before);
    replaceFile(
      path,
      insertResolvConfBlock(before, { ...args, search, searchBefore }),
    );
    return Promise.resolve(null);
  },
  revert({ id, created }, { root }) {
    const path = pathOf(root);
    const removed = removeResolvConfBlock(readFileExact(path) ?? "");
    if (removed?.id !== id) return Promise.resolve();
    if (created && removed.before === "") removeFile(path);
    else replaceFile(path, removed.before);
    return Promise.resolve();
  },
};

const args = v.strictObject({ nameserver: address, search: domains });

/** Somebody who rewrites the file each time that we do is let have it. */
const MAX_RETURNS = 5;
const CALM_MS = 60_000;

/**
 * `resolver.resolv-conf`: for machines where no program is in charge of the resolver. Whoever
 * rewrites the file, as DHCP does in another network, gets our lines in front of theirs, and the
 * client an event `{ type: "resolv-conf", nameservers, kept }` with the name servers that are to be
 * asked from now on; `kept` is false where we gave up. Where the file cannot be watched, that is told
 * by `{ type: "resolv-conf-unwatched", reason }`, and all else goes on.
 */
export const resolvConfOperation: Operation<v.InferOutput<typeof args>> = {
  name: "resolver.resolv-conf",
  args,
  steps: [resolvConfStep],
  async apply({ nameserver, search }, scope, events) {
    const { world } = scope;
    const path = pathOf(world.root);
    const created = readFileExact(path) === undefined;
    const args = { nameserver, id: randomLower(8), created };
    await scope.run(resolvConfStep, args, { search });
    let returns = 0;
    let lastMs = 0;
    const onChange = () => {
      const text = readFileExact(path) ?? "";
      if (removeResolvConfBlock(text) !== undefined) return;
      const nowMs = performance.now();
      returns = nowMs - lastMs > CALM_MS ? 1 : returns + 1;
      lastMs = nowMs;
      const kept = returns <= MAX_RETURNS;
      // under the id that is in the journal already
      if (kept) resolvConfStep.apply(args, { search }, world);
      const nameservers = [...parseResolvConf(text).nameservers];
      events({ type: "resolv-conf", nameservers, kept });
    };
    scope.background(
      "watch resolv.conf",
      (signal) =>
        watchFile(path, onChange, signal).catch((error) => {
          // a system has only so many watches, and others may have used them up
          if (error.syscall !== "watch") throw error;
          events({ type: "resolv-conf-unwatched", reason: messageOf(error) });
        }),
    );
    return null;
  },
};

function pathOf(root: string): string {
  return `${root}/etc/resolv.conf`;
}
