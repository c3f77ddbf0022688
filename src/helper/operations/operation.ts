/** What the root helper may be asked to do. */
import type { GenericSchema } from "valibot";
import type { Json } from "../../core/json.ts";
import type { Scope } from "../../undo/scope.ts";
import type { AnyStep } from "../../undo/step.ts";

/** What the helper's steps act on. */
export interface Machine {
  exec: typeof import("../../core/exec.ts").exec;
  /** Root of the file system; "" but in tests */
  root: string;
}

/** One thing that the root helper does on request. Its arguments come from a process that is not trusted. */
export interface Operation<A, R = null> {
  readonly name: string; // "resolver.resolv-conf", "nft.redirect", "tun.open"
  /** Strict: CIDRs, addresses, ports, device and domain names; never commands or paths. */
  readonly args: GenericSchema<unknown, A>;
  /** Steps it may journal, so that a later helper can revert them. */
  readonly steps: readonly AnyStep<Machine>[];
  /** Everything done goes through `scope` and is taken back when the client goes, or calls `close` with the id that it got. */
  apply(
    args: A,
    scope: Scope<Machine>,
    events: (event: Json) => void,
  ): Promise<R>;
}
