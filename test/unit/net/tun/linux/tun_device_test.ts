import assert from "node:assert/strict";
import { TunDevice } from "../../../../../src/net/tun/linux/tun_device.ts";

Deno.test({
  name: "TunDevice names the permission of Deno's that is missing",
  permissions: { ffi: false },
  fn() {
    assert.throws(() => new TunDevice("ktctl0"), { code: "FFI_NOT_ALLOWED" });
  },
});
