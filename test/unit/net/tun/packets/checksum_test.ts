import assert from "node:assert/strict";
import fc from "fast-check";
import {
  adjustChecksum,
  adjustSum,
  checksum,
  foldSum,
  sumWords,
} from "../../../../../src/net/tun/packets/checksum.ts";
import { slowChecksum } from "../packets.ts";

/** In one's complement there are two zeroes. */
const same = (a: number, b: number) => a % 0xffff === b % 0xffff;

Deno.test("checksum() is what RFC 1071 says, of odd lengths too", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 3000 }), (bytes) => {
    assert.equal(checksum(bytes), slowChecksum(bytes));
  }));
});

Deno.test("checksum() over data with its checksum inside is 0", () => {
  fc.assert(fc.property(fc.uint8Array({ minLength: 2 }), (bytes) => {
    const even = bytes.subarray(0, bytes.length & ~1);
    even.fill(0, 0, 2);
    const value = checksum(even);
    even.set([value >> 8, value & 0xff]);
    assert.equal(checksum(even), 0);
  }));
});

const changes = fc.tuple(
  fc.uint8Array({ minLength: 12, maxLength: 12 }),
  fc.uint8Array({ minLength: 12, maxLength: 12 }),
  fc.uint8Array({ minLength: 1, maxLength: 100 }),
);

Deno.test("adjustChecksum() gives what a new checksum would", () => {
  fc.assert(fc.property(changes, ([before, after, rest]) => {
    const value = adjustChecksum(
      checksum(Uint8Array.of(...before, ...rest)),
      foldSum(sumWords(before)),
      foldSum(sumWords(after)),
    );
    assert.ok(same(value, slowChecksum(after, rest)));
  }));
});

Deno.test("adjustSum() gives what a new partial sum would", () => {
  fc.assert(fc.property(changes, ([before, after, rest]) => {
    const value = adjustSum(
      foldSum(sumWords(before) + sumWords(rest)),
      foldSum(sumWords(before)),
      foldSum(sumWords(after)),
    );
    assert.ok(same(value, foldSum(sumWords(after) + sumWords(rest))));
  }));
});
