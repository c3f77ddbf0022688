import assert from "node:assert/strict";
import fc from "fast-check";
import {
  formatSocksAddress,
  parseSocksAddress,
} from "../../../src/net/socks/socks_address.ts";

const port = fc.integer({ min: 0, max: 65_535 });
const name = fc.stringMatching(/^[a-z0-9]([a-z0-9._-]{0,80}[a-z])?$/)
  .filter((text) => !/^[0-9.]+$/.test(text));

Deno.test("addresses and names are read back, and not a byte further", () => {
  const host = fc.oneof(fc.ipV4(), name);
  fc.assert(fc.property(host, port, fc.uint8Array(), (host, port, rest) => {
    const bytes = formatSocksAddress({ host, port });
    const parsed = parseSocksAddress(Uint8Array.of(...bytes, ...rest));
    assert.deepEqual(parsed, {
      address: { host, port },
      length: bytes.length,
    });
  }));
});

Deno.test("an IPv6 address keeps its bytes", () => {
  const bytes = fc.uint8Array({ minLength: 16, maxLength: 16 });
  fc.assert(fc.property(bytes, (bytes) => {
    const parsed = parseSocksAddress(Uint8Array.of(4, ...bytes, 1, 2))!;
    assert.equal(parsed.length, 19);
    assert.deepEqual(
      formatSocksAddress(parsed.address),
      Uint8Array.of(4, ...bytes, 1, 2),
    );
  }));
});

for (
  const [title, bytes] of [
    ["nothing", []],
    ["an unknown type", [2, 1, 2, 3, 4, 0, 80]],
    ["an address cut short", [1, 127, 0, 0, 1, 0]],
    ["a name cut short", [3, 5, 97, 98, 0, 80]],
    ["an empty name", [3, 0, 0, 80]],
    ["a name with a zero byte", [3, 3, 97, 0, 98, 0, 80]],
    ["a name with a space", [3, 3, 97, 32, 98, 0, 80]],
  ] as const
) {
  Deno.test(`${title} is no address`, () => {
    assert.equal(parseSocksAddress(Uint8Array.from(bytes)), undefined);
  });
}

Deno.test("any bytes are taken without a fault", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
    const parsed = parseSocksAddress(bytes);
    if (parsed) assert.ok(parsed.length <= bytes.length);
  }));
});
