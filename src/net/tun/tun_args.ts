/** What a TUN device is asked for with, as the root helper takes it: from nobody it trusts. */
import * as v from "valibot";
import type { exec } from "../../core/exec.ts";
import { Cidr } from "../cidr.ts";
import { excludeCidrs } from "../cidr_list.ts";
import { RESERVED_CIDRS } from "../reserved_cidrs.ts";

/** Names what is made: the device carries it, and only those of the same session are touched. */
export const sessionSchema = v.pipe(
  v.string(),
  v.regex(/^[a-z0-9]{1,16}$/),
);

/** Ranges that are routed into the device. */
const cidrs = v.pipe(
  v.array(
    v.pipe(
      v.string(),
      v.maxLength(50),
      v.check((text) => Cidr.tryParse(text) !== undefined, "Not an IP range"),
    ),
  ),
  v.maxLength(4096),
);

/** All of a device, as its step has it in the journal. */
export const tunDeviceArgsSchema = v.object({
  session: sessionSchema,
  device: v.pipe(v.string(), v.regex(/^ktctl\d{1,3}$/)),
  uid: v.number(),
  mtu: v.number(),
  cidrs: v.array(v.string()),
  ipv4: v.object({ local: v.string(), peer: v.string() }),
  /** Left out where the machine has no IPv6. */
  ipv6: v.exactOptional(v.object({ local: v.string(), peer: v.string() })),
});

export const openTunArgsSchema = v.strictObject({
  session: sessionSchema,
  /** Whose device it is: the process that carries the packets. (0xffffffff is nobody's.) */
  uid: v.pipe(
    v.number(),
    v.integer(),
    v.minValue(0),
    v.maxValue(0xffff_fffe),
  ),
  /** IPv6 needs 1280. */
  mtu: v.pipe(v.number(), v.integer(), v.minValue(1280), v.maxValue(65_535)),
  cidrs,
});

export type OpenTunArgs = v.InferOutput<typeof openTunArgsSchema>;

export const tunRoutesArgsSchema = v.strictObject({
  session: sessionSchema,
  device: v.pipe(
    v.string(),
    v.regex(/^(ktctl\d{1,3}|utun\d{1,5}|ktctl-[a-z0-9]{1,16})$/),
  ),
  cidrs,
});

export type TunRoutesArgs = v.InferOutput<typeof tunRoutesArgsSchema>;

/** What the operations on TUN devices act on. */
export interface TunMachine {
  readonly exec: typeof exec;
  /** Root of the file system. */
  readonly root: string;
}

/**
 * Reserved addresses never get a route. Neighbours stay apart: each is narrower than a route of the
 * machine's own that would have the same addresses.
 */
export function routesOf(cidrs: readonly string[]): Cidr[] {
  return cidrs.flatMap((cidr) =>
    excludeCidrs([Cidr.parse(cidr)], RESERVED_CIDRS)
  );
}
