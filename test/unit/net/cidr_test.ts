import assert from "node:assert/strict";
import fc from "fast-check";
import { UsageError } from "../../../src/core/errors.ts";
import { ADDRESS_BITS, Cidr } from "../../../src/net/cidr.ts";
import {
  coverAddresses,
  excludeCidrs,
  isCovered,
  mergeCidrs,
  overlapsAny,
} from "../../../src/net/cidr_list.ts";

const parse = (text: string) => Cidr.parse(text).toString();

Deno.test("a CIDR is read strictly and written in one form", () => {
  for (
    const [text, written] of [
      ["10.0.0.5/24", "10.0.0.0/24"],
      ["10.0.0.5", "10.0.0.5/32"],
      ["0.0.0.0/0", "0.0.0.0/0"],
      ["255.255.255.255/32", "255.255.255.255/32"],
      ["FD00:0:0:1:0:0:0:5/64", "fd00:0:0:1::/64"],
      ["::", "::/128"],
      ["::/0", "::/0"],
      ["fd00::1", "fd00::1/128"],
      ["::ffff:10.1.2.3", "10.1.2.3/32"],
      ["::ffff:10.1.2.3/112", "10.1.0.0/16"],
    ] as const
  ) assert.equal(parse(text), written);
});

Deno.test("what is no CIDR is refused, with the text in the error", () => {
  for (
    const text of [
      "",
      "/",
      "10",
      "10.1",
      "10.0.0.256",
      "010.0.0.1",
      "0x10.0.0.1",
      "10.0.0.1/33",
      "10.0.0.1/08",
      "10.0.0.1/",
      "10.0.0.1/-1",
      "10.0.0.1/8/8",
      " 10.0.0.1",
      "fd00::/129",
      "fd00:::1",
      "fe80::1%eth0",
      "::ffff:010.0.0.1",
      "localhost",
      "10.0.0.1; reboot",
    ]
  ) {
    assert.throws(
      () => Cidr.parse(text),
      (error) => error instanceof UsageError && error.message.includes(text),
      text,
    );
  }
});

/** CIDRs in a corner of the address space, so that they meet. */
const nearbyCidr = fc.tuple(
  fc.constantFrom<4 | 6>(4, 6),
  fc.integer({ min: 0, max: 255 }),
  fc.integer({ min: 0, max: 8 }),
).map(([family, low, hostBits]) =>
  new Cidr(
    family,
    (family === 4 ? 0x0a000000n : 0xfdn << 120n) + BigInt(low),
    ADDRESS_BITS[family] - hostBits,
  )
);
const anyCidr = fc.constantFrom<4 | 6>(4, 6).chain((family) =>
  fc.tuple(
    fc.bigInt({ min: 0n, max: (1n << BigInt(ADDRESS_BITS[family])) - 1n }),
    fc.integer({ min: 0, max: ADDRESS_BITS[family] }),
  ).map(([value, prefix]) => new Cidr(family, value, prefix))
);
const nearbyCidrs = fc.array(nearbyCidr, { maxLength: 12 });

/** Every address, as its own key: the plain set that the arithmetic must agree with. */
function addresses(cidrs: readonly Cidr[]): Set<string> {
  const all = new Set<string>();
  for (const { family, first, last } of cidrs) {
    for (let at = first; at <= last; at++) all.add(`${family} ${at}`);
  }
  return all;
}

Deno.test("a CIDR survives being written and read", () => {
  const isMapped = (cidr: Cidr) =>
    cidr.family === 6 && cidr.first >> 32n === 0xffffn && cidr.prefix >= 96;
  fc.assert(fc.property(anyCidr, (cidr) => {
    fc.pre(!isMapped(cidr));
    assert.ok(Cidr.parse(`${cidr}`).equals(cidr));
    assert.ok(cidr.first <= cidr.last);
    assert.ok(cidr.contains(cidr.withPrefix(ADDRESS_BITS[cidr.family])));
  }));
});

Deno.test("merging changes no address, and leaves nothing that could be joined", () => {
  fc.assert(fc.property(nearbyCidrs, (cidrs) => {
    const merged = mergeCidrs(cidrs);
    assert.deepEqual(addresses(merged), addresses(cidrs));
    for (const [at, cidr] of merged.entries()) {
      const others = merged.toSpliced(at, 1);
      assert.ok(!overlapsAny(cidr, others));
      if (cidr.prefix === 0) continue;
      const parent = cidr.withPrefix(cidr.prefix - 1);
      const sibling = others.some((one) =>
        one.prefix === cidr.prefix && parent.contains(one)
      );
      assert.ok(!sibling, `${cidr} and its neighbour are one`);
    }
  }));
});

Deno.test("excluding leaves exactly the other addresses", () => {
  fc.assert(fc.property(nearbyCidrs, nearbyCidrs, (cidrs, excluded) => {
    const left = excludeCidrs(cidrs, excluded);
    assert.deepEqual(
      addresses(left),
      addresses(cidrs).difference(addresses(excluded)),
    );
    assert.deepEqual(mergeCidrs(left), left);
  }));
});

Deno.test("excluding works over the whole address space", () => {
  const left = excludeCidrs([Cidr.parse("0.0.0.0/0"), Cidr.parse("::/0")], [
    Cidr.parse("255.255.255.255"),
    Cidr.parse("::/1"),
  ]);
  assert.equal(left.length, 33);
  assert.equal(left.at(-1)?.toString(), "8000::/1");
  assert.equal(left.at(-2)?.toString(), "255.255.255.254/32");
});

Deno.test("contains and overlaps agree with the addresses", () => {
  fc.assert(fc.property(nearbyCidr, nearbyCidr, (a, b) => {
    const [inA, inB] = [addresses([a]), addresses([b])];
    assert.equal(a.contains(b), inB.isSubsetOf(inA));
    assert.equal(a.overlaps(b), !inA.isDisjointFrom(inB));
    assert.equal(isCovered(b, [a]), inB.isSubsetOf(inA));
  }));
});

Deno.test("a cover has every address, is never too wide and cannot be narrower", () => {
  const widest = { 4: 28, 6: 124 };
  const some = fc.array(
    nearbyCidr.map((cidr) => cidr.withPrefix(ADDRESS_BITS[cidr.family])),
    { maxLength: 12 },
  );
  fc.assert(fc.property(some, (known) => {
    const cover = coverAddresses(known, widest);
    assert.ok(addresses(known).isSubsetOf(addresses(cover)));
    const blocks = new Set(
      known.map((one) => `${one.withPrefix(widest[one.family])}`),
    );
    assert.ok(cover.length <= blocks.size);
    for (const cidr of cover) {
      if (cidr.isSingle) continue;
      const half = new Cidr(cidr.family, cidr.first, cidr.prefix + 1);
      const inside = known.filter((one) => cidr.contains(one));
      const inLower = inside.filter((one) => half.contains(one)).length;
      assert.ok(inLower > 0 && inLower < inside.length, `${cidr} is too wide`);
    }
  }));
});

Deno.test("far apart addresses give two ranges, not the whole Internet", () => {
  const known = ["10.96.0.1", "10.111.3.4", "192.168.7.7"].map(Cidr.parse);
  assert.deepEqual(coverAddresses(known, { 4: 12, 6: 108 }).map(String), [
    "10.96.0.0/12",
    "192.168.7.7/32",
  ]);
});
