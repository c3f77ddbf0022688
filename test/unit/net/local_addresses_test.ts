import assert from "node:assert/strict";
import { networkInterfaces } from "node:os";
import { LocalAddresses } from "../../../src/net/local_addresses.ts";

const ignore = Deno.build.os === "windows";

Deno.test({
  name: "the kernel says which own address leads to another",
  ignore,
  fn() {
    using addresses = new LocalAddresses();
    assert.equal(addresses.to("127.0.0.53"), "127.0.0.1");
    assert.equal(addresses.to("::1"), "::1");
    const own = Object.values(networkInterfaces()).flatMap((all) => all ?? []);
    for (const { address } of own.filter(({ internal }) => !internal)) {
      if (address.startsWith("fe80:")) continue; // takes a zone
      assert.equal(addresses.to(address), address);
    }
  },
});

Deno.test({
  name: "an address on one link alone is reached from that link's own",
  ignore,
  fn() {
    using addresses = new LocalAddresses();
    for (const [device, all] of Object.entries(networkInterfaces())) {
      const own = all?.find(({ address }) => address.startsWith("fe80:"));
      const expected = own && `${own.address}%${device}`;
      assert.equal(addresses.to(`fe80::1%${device}`), expected);
    }
    assert.equal(addresses.to("fe80::1%none"), undefined);
  },
});

Deno.test("after its end nothing is known, and nothing breaks", () => {
  const addresses = new LocalAddresses();
  addresses[Symbol.dispose]();
  assert.equal(addresses.to("127.0.0.1"), undefined);
});
