import * as v from "valibot";
import {
  insertResolvConfBlock,
  removeResolvConfBlock,
} from "../core/dns/resolv_conf_block.ts";
import { parseResolvConf } from "../core/dns/resolv_conf.ts";
import { randomLower } from "../core/random_name.ts";
import type { Step } from "../core/step.ts";
import type { Machine, Operation } from "./operation.ts";
import { readFileExact, removeFile, replaceFile } from "./replace_file.ts";
import { address, domains } from "./resolver_arguments.ts";

type Args = {
  /** Our own mark in the file. */
  readonly id: string;
  readonly nameserver: string;
  /** There was no file. */
  readonly created: boolean;
};

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

/** `resolver.resolv-conf`: for machines where no program is in charge of the resolver. */
export const resolvConfOperation: Operation<v.InferOutput<typeof args>> = {
  name: "resolver.resolv-conf",
  args,
  steps: [resolvConfStep],
  apply: ({ nameserver, search }, scope) =>
    scope.run(resolvConfStep, {
      nameserver,
      id: randomLower(8),
      created: readFileExact(pathOf(scope.world.root)) === undefined,
    }, { search }),
};

function pathOf(root: string): string {
  return `${root}/etc/resolv.conf`;
}
